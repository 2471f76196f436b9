"""What is read from ``version.json``."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from dockerflow_django.version import (
    FILE_NAME,
    VersionError,
    get_version,
    version_fields,
    version_name,
)

VERSION = {"source": "https://github.com/a/b", "version": "1.0", "commit": "abc", "build": ""}


def write(root: Path, content: str | bytes) -> Path:
    """Write the file as `content` has it."""
    path = root / FILE_NAME
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(root: Path) -> str:
    """Return why the file holds no version object."""
    with pytest.raises(VersionError) as caught:
        get_version(root)
    return str(caught.value)


def test_the_object_is_returned(tmp_path: Path) -> None:
    """What the file holds is the version; the root may be a path or a string."""
    write(tmp_path, json.dumps(VERSION))
    assert get_version(tmp_path) == get_version(str(tmp_path)) == VERSION


@pytest.mark.parametrize("root", ["{0}", "{0}/nowhere", "{0}/file"])
def test_no_file_is_no_version(root: str, tmp_path: Path) -> None:
    """A folder without the file, a folder that is none and a file in its place have no version."""
    (tmp_path / "file").touch()
    assert get_version(root.format(tmp_path)) is None


def test_without_a_root_there_is_no_version() -> None:
    """A project without BASE_DIR has none, instead of an AttributeError (D33)."""
    assert get_version(None) is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "version.json is not valid JSON"),
        ("{", "version.json is not valid JSON"),
        ('{"version": NaN}', "version.json is not valid JSON"),
        (b'{"version": "\xff"}', "version.json is not valid JSON"),
        ("[" * 100_000, "version.json is not valid JSON"),
        ("[]", "version.json holds a JSON list, not an object"),
        ('"1.0"', "version.json holds a JSON string, not an object"),
        ("1.0", "version.json holds a JSON number, not an object"),
        ("true", "version.json holds a JSON boolean, not an object"),
        ("null", "version.json holds a JSON null, not an object"),
    ],
)
def test_what_is_no_object_is_refused(content: str | bytes, why: str, tmp_path: Path) -> None:
    """The reason names the file and never its folder (D33)."""
    write(tmp_path, content)
    assert refusal(tmp_path) == why


def test_a_folder_of_that_name_is_refused(tmp_path: Path) -> None:
    """Docker makes a folder where a file to mount is missing."""
    (tmp_path / FILE_NAME).mkdir()
    assert refusal(tmp_path) == "version.json cannot be read: Is a directory"


def test_a_link_that_leads_to_itself_is_refused(tmp_path: Path) -> None:
    """What the system refuses to look at is told as the system tells it."""
    (tmp_path / FILE_NAME).symlink_to(tmp_path / FILE_NAME)
    assert refusal(tmp_path) == "version.json cannot be read: Too many levels of symbolic links"


def test_the_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often the version is asked for, the file is opened once (D33)."""
    write(tmp_path, json.dumps(VERSION))
    opened = count_opens(monkeypatch)
    assert [get_version(tmp_path) for _ in range(3)] == [VERSION] * 3
    assert opened == [FILE_NAME]


def test_a_changed_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new content is answered without a restart, though the size be the same."""
    path = write(tmp_path, '{"version": "1"}')
    opened = count_opens(monkeypatch)
    assert get_version(tmp_path) == {"version": "1"}
    status = path.stat()
    write(tmp_path, '{"version": "2"}')
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert get_version(tmp_path) == {"version": "2"}
    assert len(opened) == 2


def test_a_file_that_was_mended_is_read_again(tmp_path: Path) -> None:
    """An invalid file is not remembered as such."""
    write(tmp_path, "{")
    refusal(tmp_path)
    write(tmp_path, json.dumps(VERSION))
    assert get_version(tmp_path) == VERSION


def test_the_answer_is_the_caller_s_own(tmp_path: Path) -> None:
    """Who adds to the version he was given does not add to everybody's."""
    write(tmp_path, json.dumps(VERSION))
    version = get_version(tmp_path)
    assert version is not None
    version["host"] = "a"
    assert get_version(tmp_path) == VERSION


@pytest.mark.parametrize(
    ("content", "fields", "name"),
    [
        ('{"version": "1.2", "commit": "c0ffee"}', {"version": "1.2", "commit": "c0ffee"}, "1.2"),
        ('{"version": 1}', {"version": 1}, "1"),
        ('{"version": null}', {"version": None}, None),
        ("{}", {}, None),
        (None, {}, None),
        ("no JSON", {}, None),
    ],
)
def test_version_by_name(
    settings: Any, tmp_path: Path, content: str | None, fields: dict[str, Any], name: str | None
) -> None:
    """The name is a text; there is none if nobody gave one, or the object cannot be shown."""
    if content is not None:
        write(tmp_path, content)
    settings.BASE_DIR = tmp_path
    assert (version_fields(), version_name()) == (fields, name)


def count_opens(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the name of every file that is read as text from here on."""
    opened: list[str] = []
    read_text = Path.read_text

    def note(self: Path, *args: object, **kwargs: object) -> str:
        opened.append(self.name)
        return read_text(self, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", note)
    return opened
