"""A ``.env`` as people write it."""

from pathlib import Path

import pytest
from django.test import override_settings

from dockerflow_django.conf import conf
from dockerflow_django.conf.env_file import EnvFile


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("NAME=value", "value"),
        (" NAME = value ", "value"),
        ("export NAME=value", "value"),
        ("export\tNAME=value", "value"),
        ("NAME='value'", "value"),
        ('export NAME="value"', "value"),
        ("NAME=", ""),
        ("NAME=''", ""),
        ("NAME=value # comment", "value"),
        ("NAME=value\t# comment", "value"),
        ("NAME= # comment", ""),
        ("NAME='value' # comment", "value"),
        ("NAME='val # ue' # com'ment", "val # ue"),
        ('NAME="it\'s"', "it's"),
        ('NAME="a"b"', 'a"b'),
        ('NAME="open', '"open'),
        ("NAME=https://host/#part", "https://host/#part"),
        ("NAME=a=b", "a=b"),
        ("NAME=a\x0bb\x85c\u2028d=e", "a\x0bb\x85c\u2028d=e"),
        ('NAME=["^/a#b"]', '["^/a#b"]'),
    ],
)
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_a_line_is_read_as_it_is_meant(tmp_path: Path, line: str, value: str, bom: str) -> None:
    """``export``, quotes, comments and a byte-order mark are no part of the value."""
    path = tmp_path / ".env"
    path.write_text(f"{bom}{line}\r\nOTHER=1\n", encoding="utf-8")
    assert EnvFile(str(path)).data == {"NAME": value, "OTHER": "1"}


@pytest.mark.parametrize("line", ["", "# NAME=value", "  # x", "NAME", "export NAME", "=value"])
def test_other_lines_set_nothing(tmp_path: Path, line: str) -> None:
    """A comment, an empty line and a name alone are passed over."""
    (tmp_path / ".env").write_text(f"{line}\nOTHER=1\n")
    assert EnvFile(str(tmp_path / ".env")).data == {"OTHER": "1"}


def test_a_setting_comes_from_such_a_file(tmp_path: Path) -> None:
    """The first name behind a byte-order mark is a setting like every other."""
    text = "\ufeffexport DOCKERFLOW_CHECK_TIMEOUT='4' # seconds\n"
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    with override_settings(BASE_DIR=tmp_path):
        assert conf.DOCKERFLOW_CHECK_TIMEOUT == 4
