"""Where a setting's value comes from, and what happens to a wrong one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from dockerflow_django.conf import MASK, Conf, Found, Setting, conf
from tests.system_checks.conftest import base_dir, clean_environment  # noqa: F401


def found(name: str) -> Found:
    """Look one setting up."""
    return Conf.table[name].look_up(conf.environment)


def test_a_default_is_what_stands_nowhere() -> None:
    """Without a word from the project, the default holds."""
    assert conf.DOCKERFLOW_CHECK_TIMEOUT == 0.8
    assert found("DOCKERFLOW_CHECK_TIMEOUT").origin == "default"


@override_settings(DOCKERFLOW_CHECK_TIMEOUT=2)
def test_the_project_s_settings_come_first(base_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the settings say is said, whatever the environment does."""
    monkeypatch.setenv("DOCKERFLOW_CHECK_TIMEOUT", "3")
    (base_dir / ".env").write_text("DOCKERFLOW_CHECK_TIMEOUT=4\n")
    assert conf.DOCKERFLOW_CHECK_TIMEOUT == 2
    assert found("DOCKERFLOW_CHECK_TIMEOUT").origin == "settings"


def test_the_environment_comes_second(base_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator's variable beats the file in the image."""
    monkeypatch.setenv("DOCKERFLOW_CHECK_TIMEOUT", "3")
    (base_dir / ".env").write_text("DOCKERFLOW_CHECK_TIMEOUT=4\n")
    conf.reset()
    assert conf.DOCKERFLOW_CHECK_TIMEOUT == 3
    assert found("DOCKERFLOW_CHECK_TIMEOUT").origin == "environment"


def test_the_env_file_comes_third(base_dir: Path) -> None:
    """A ``.env`` beside the project is read, without a walk through the folders above."""
    (base_dir / ".env").write_text("# comment\nDOCKERFLOW_CHECK_TIMEOUT='4'\n")
    conf.reset()
    assert conf.DOCKERFLOW_CHECK_TIMEOUT == 4
    assert found("DOCKERFLOW_CHECK_TIMEOUT").origin == ".env"


@pytest.mark.parametrize("env_file", [None, "DOCKERFLOW_REQUEST_ID_HEADER_NAME=X-Other\n"])
def test_an_empty_variable_is_a_value(
    base_dir: Path, monkeypatch: pytest.MonkeyPatch, env_file: str | None
) -> None:
    """It may say "none", and beats the file like any other."""
    monkeypatch.setenv("DOCKERFLOW_REQUEST_ID_HEADER_NAME", "")
    if env_file is not None:
        (base_dir / ".env").write_text(env_file)
    conf.reset()
    assert conf.DOCKERFLOW_REQUEST_ID_HEADER_NAME is None
    assert found("DOCKERFLOW_REQUEST_ID_HEADER_NAME").origin == "environment"


def test_an_empty_value_in_the_env_file_is_a_value(base_dir: Path) -> None:
    """It may say "none" there, too."""
    (base_dir / ".env").write_text("DOCKERFLOW_REQUEST_ID_HEADER_NAME=\n")
    conf.reset()
    assert conf.DOCKERFLOW_REQUEST_ID_HEADER_NAME is None
    assert found("DOCKERFLOW_REQUEST_ID_HEADER_NAME").origin == ".env"


def test_an_env_file_of_a_folder_above_is_not_read(base_dir: Path) -> None:
    """Somebody else's ``.env`` is not ours, as it would be for python-decouple's ``config``."""
    (base_dir / ".env").write_text("DOCKERFLOW_CHECK_TIMEOUT=4\n")
    (base_dir / "shop").mkdir()
    with override_settings(BASE_DIR=base_dir / "shop"):
        assert conf.DOCKERFLOW_CHECK_TIMEOUT == 0.8


@pytest.mark.parametrize("base_dir", [None, 5, "\0", "/nowhere/at/all"])
def test_a_base_dir_that_is_none_has_no_env_file(base_dir: object) -> None:
    """Whatever BASE_DIR holds, the default is read without a traceback (D33)."""
    with override_settings(BASE_DIR=base_dir):
        assert conf.DOCKERFLOW_CHECK_TIMEOUT == 0.8


def test_an_env_file_that_is_not_text_is_as_good_as_none(base_dir: Path) -> None:
    """A ``.env`` that cannot be decoded costs its values, not the process."""
    (base_dir / ".env").write_bytes(b"DOCKERFLOW_CHECK_TIMEOUT=\xff\n")
    conf.reset()
    assert conf.DOCKERFLOW_CHECK_TIMEOUT == 0.8


def test_a_value_is_read_anew_after_an_override() -> None:
    """No setting is frozen when a module is imported (D17)."""
    assert conf.DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE == 500
    with override_settings(DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE=503):
        assert conf.DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE == 503
    assert conf.DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE == 500


@pytest.mark.parametrize("name", Conf.table)
def test_every_setting_can_be_overridden(name: str) -> None:
    """Each setting takes its own default for a value, so none is frozen or refuses it (D17)."""
    before = getattr(conf, name)
    with override_settings(**{name: Conf.table[name].default}):
        assert found(name).origin == "settings"
        assert found(name).wanted == ""
        assert getattr(conf, name) == before


def test_a_value_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value that was read is kept until an override: a request pays for no look-up."""
    assert conf.DOCKERFLOW_ERROR_ENDPOINT is False
    monkeypatch.setenv("DOCKERFLOW_ERROR_ENDPOINT", "true")
    assert conf.DOCKERFLOW_ERROR_ENDPOINT is False
    conf.reset()
    assert conf.DOCKERFLOW_ERROR_ENDPOINT is True


@pytest.mark.parametrize("raw", ["soon", -1, None, "0", "", float("nan")])
def test_a_wrong_value_counts_as_absent(raw: object) -> None:
    """The default holds in its place, and the look-up says what is wrong."""
    with override_settings(DOCKERFLOW_CHECK_TIMEOUT=raw):
        assert conf.DOCKERFLOW_CHECK_TIMEOUT == 0.8
        assert found("DOCKERFLOW_CHECK_TIMEOUT").wanted == "a number above 0"
        assert found("DOCKERFLOW_CHECK_TIMEOUT").shown == repr(raw)


@pytest.mark.parametrize("name", ["DOCKERFLOW_CHECKS", "DOCKERFLOW_PROBES"])
def test_a_value_that_raises_counts_as_absent(name: str) -> None:
    """Whatever a project's object does when it is looked at, it costs no traceback."""

    class Odd(dict[str, object]):
        def __iter__(self) -> Iterator[str]:
            raise LookupError

        def __repr__(self) -> str:
            raise LookupError

    with override_settings(**{name: Odd(a=1)}):
        assert conf.problem(name)
        assert found(name).shown == "a Odd whose repr raises LookupError"
        assert getattr(conf, name) == Conf.table[name].cast(Conf.table[name].default)
    assert conf.problem(name) == ""


def test_a_shown_value_is_scrubbed() -> None:
    """A check's keywords may hold a URL with a password."""
    url = "redis://:hush@host/"
    with override_settings(DOCKERFLOW_CHECKS=[("a.b", {"url": url, "timeout": url})]):
        assert "hush" not in found("DOCKERFLOW_CHECKS").shown
        assert "hush" not in found("DOCKERFLOW_CHECKS").wanted


def test_a_word_of_the_settings_is_understood() -> None:
    """A project that hands its environment on as text means what it says."""
    with override_settings(DOCKERFLOW_ERROR_ENDPOINT="false"):
        assert conf.DOCKERFLOW_ERROR_ENDPOINT is False


def test_a_list_stands_in_the_environment_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """A comma in a regular expression splits nothing."""
    monkeypatch.setenv("DOCKERFLOW_SUMMARY_EXCLUDE", '["^/a{1,2}/"]')
    assert [pattern.pattern for pattern in conf.DOCKERFLOW_SUMMARY_EXCLUDE] == ["^/a{1,2}/"]


@pytest.mark.parametrize(
    "name",
    [
        "DOCKERFLOW_VERSION_CALLBACK",
        "DOCKERFLOW_CHECKS",
        "DOCKERFLOW_PROBES",
        "DOCKERFLOW_SUMMARY_EXTRA",
    ],
)
def test_the_environment_names_no_code(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks and callables are read from the settings only."""
    monkeypatch.setenv(name, "os.abort")
    assert found(name).origin == "default"


def test_the_environment_says_a_word_about_details(monkeypatch: pytest.MonkeyPatch) -> None:
    """The words are taken from the environment, a path is not."""
    monkeypatch.setenv("DOCKERFLOW_HEARTBEAT_DETAILS", "always")
    assert conf.DOCKERFLOW_HEARTBEAT_DETAILS == "always"
    conf.reset()
    monkeypatch.setenv("DOCKERFLOW_HEARTBEAT_DETAILS", "os.abort")
    assert conf.DOCKERFLOW_HEARTBEAT_DETAILS == "debug"
    assert "a callable only in the settings" in found("DOCKERFLOW_HEARTBEAT_DETAILS").wanted


def test_a_secret_may_stand_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``NAME_FILE`` names the file that an orchestrator mounts; its newline is not the secret's."""
    (tmp_path / "secret").write_text("hush\n")
    monkeypatch.setenv("DOCKERFLOW_WEBHOOK_SECRET_FILE", str(tmp_path / "secret"))
    assert conf.DOCKERFLOW_WEBHOOK_SECRET == "hush"
    assert found("DOCKERFLOW_WEBHOOK_SECRET").name == "DOCKERFLOW_WEBHOOK_SECRET_FILE"


def test_a_secret_s_own_variable_beats_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearer name wins, and the file is not opened."""
    monkeypatch.setenv("DOCKERFLOW_WEBHOOK_SECRET", "hush")
    monkeypatch.setenv("DOCKERFLOW_WEBHOOK_SECRET_FILE", "/nowhere/at/all")
    assert conf.DOCKERFLOW_WEBHOOK_SECRET == "hush"
    assert found("DOCKERFLOW_WEBHOOK_SECRET").wanted == ""


@pytest.mark.parametrize(("path", "value"), [("secret", "hush"), ("", None)])
def test_an_empty_variable_does_not_hide_a_secret_s_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, value: str | None
) -> None:
    """Compose passes an empty variable where nobody has set one; two of them are no secret."""
    (tmp_path / "secret").write_text("hush")
    monkeypatch.setenv("DOCKERFLOW_WEBHOOK_SECRET", "")
    monkeypatch.setenv("DOCKERFLOW_WEBHOOK_SECRET_FILE", path and str(tmp_path / path))
    problem = conf.problem("DOCKERFLOW_WEBHOOK_SECRET")
    assert (conf.DOCKERFLOW_WEBHOOK_SECRET, problem) == (value, "")


def test_the_environment_s_file_beats_the_variable_in_env(
    settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A developer's `.env` that is left in an image signs nothing in production."""
    (tmp_path / "secret").write_text("hush")
    (tmp_path / ".env").write_text("DOCKERFLOW_WEBHOOK_SECRET=dev\n")
    settings.BASE_DIR = tmp_path
    assert conf.DOCKERFLOW_WEBHOOK_SECRET == "dev"
    conf.reset()
    monkeypatch.setenv("DOCKERFLOW_WEBHOOK_SECRET_FILE", str(tmp_path / "secret"))
    assert conf.DOCKERFLOW_WEBHOOK_SECRET == "hush"
    assert found("DOCKERFLOW_WEBHOOK_SECRET").origin == "environment"


def test_a_setting_that_is_no_secret_has_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what must not stand in the environment may stand in a file."""
    (tmp_path / "timeout").write_text("5")
    monkeypatch.setenv("DOCKERFLOW_CHECK_TIMEOUT_FILE", str(tmp_path / "timeout"))
    assert conf.DOCKERFLOW_CHECK_TIMEOUT == 0.8


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (None, "the path of a file that can be read (No such file or directory)"),
        ("", "the path of a file that is not empty"),
        (" \n", "the path of a file that is not empty"),
        ("\x80\xff", "the path of a file in UTF-8"),
    ],
)
def test_a_secret_s_file_that_does_not_do_is_said(
    content: str | None, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A webhook that goes unsigned for an empty file would be noticed by nobody."""
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))
    monkeypatch.setenv("DOCKERFLOW_WEBHOOK_SECRET_FILE", str(path))
    assert conf.DOCKERFLOW_WEBHOOK_SECRET is None
    assert found("DOCKERFLOW_WEBHOOK_SECRET").wanted == wanted
    assert found("DOCKERFLOW_WEBHOOK_SECRET").shown == MASK


@override_settings(DOCKERFLOW_WEBHOOK_URL="ftp://user:hush@hooks/", DOCKERFLOW_WEBHOOK_SECRET=None)
def test_a_secret_is_never_shown() -> None:
    """Neither the value nor what is wrong with it holds the secret; None is none."""
    url = found("DOCKERFLOW_WEBHOOK_URL")
    assert (url.shown, url.value) == (MASK, None)
    assert "hush" not in url.wanted
    assert found("DOCKERFLOW_WEBHOOK_SECRET").shown == "None"


def test_all_settings_are_looked_up_in_the_order_of_the_table() -> None:
    """Whoever lists the settings sees each, once."""
    assert [each.name for each in conf.look_up_all()] == list(Conf.table)


def test_the_class_gives_the_setting_itself() -> None:
    """A tool finds cast and default beside the value."""
    assert isinstance(Conf.DOCKERFLOW_CHECKS, Setting)
    assert Conf.DOCKERFLOW_CHECKS.name == "DOCKERFLOW_CHECKS"


@override_settings(DOCKERFLOW_CHECKS=[], DOCKERFLOW_ODD=1)
def test_what_is_written_is_named_with_its_place(
    base_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names are told whether or not they are settings, and others are left out."""
    monkeypatch.setenv("DOCKERFLOW_CHEKCS", "[]")
    (base_dir / ".env").write_text("DOCKERFLOW_PROBES={}\nDEBUG=1\n")
    conf.reset()
    assert list(conf.written()) == [
        ("DOCKERFLOW_CHECKS", "settings"),
        ("DOCKERFLOW_ODD", "settings"),
        ("DOCKERFLOW_CHEKCS", "environment"),
        ("DOCKERFLOW_PROBES", ".env"),
    ]
