"""The rules about values and where they stand."""

from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from dockerflow_django.conf import Conf, conf
from tests.system_checks import messages, sentences

# For every setting a value that it cannot take.
WRONG: dict[str, Any] = {
    "DOCKERFLOW_VERSION_CALLBACK": 5,
    "DOCKERFLOW_CHECKS": "shop.check_stock",
    "DOCKERFLOW_PROBES": {"aliveness": []},
    "DOCKERFLOW_HEARTBEAT_FAIL_LEVEL": "WARN",
    "DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE": 200,
    "DOCKERFLOW_HEARTBEAT_DETAILS": True,
    "DOCKERFLOW_HEARTBEAT_TOKEN": "schlüssel",
    "DOCKERFLOW_HEARTBEAT_MAX_AGE": -1,
    "DOCKERFLOW_CHECK_TIMEOUT": 0,
    "DOCKERFLOW_ERROR_ENDPOINT": "maybe",
    "DOCKERFLOW_REQUEST_ID_HEADER_NAME": "X Request",
    "DOCKERFLOW_SUMMARY_LOG_QUERYSTRING": 2,
    "DOCKERFLOW_SUMMARY_LOG_REMOTE_ADDRESSES": None,
    "DOCKERFLOW_SUMMARY_LOG_HEALTH": "",
    "DOCKERFLOW_SUMMARY_EXCLUDE": ["("],
    "DOCKERFLOW_SUMMARY_SAMPLE_RATE": 1.5,
    "DOCKERFLOW_SUMMARY_EXTRA": "fields",
    "DOCKERFLOW_MAX_REQUESTS_IN_PROGRESS": 0,
    "DOCKERFLOW_LIVENESS_STALL_SECONDS": "long",
    "DOCKERFLOW_PROBE_PORT": 70000,
    "DOCKERFLOW_PROBE_HOST": "",
    "DOCKERFLOW_WORKER_SILENT_SECONDS": 0,
    "DOCKERFLOW_WORKER_START_SECONDS": "soon",
    "DOCKERFLOW_PROBE_FILE": "probes.json",
    "DOCKERFLOW_WORKER_STALL_SECONDS": 0,
    "DOCKERFLOW_DRAIN_PATH": "draining",
    "DOCKERFLOW_DRAIN_SECONDS": "5s",
    "DOCKERFLOW_WEBHOOK_URL": "ftp://hush",
    "DOCKERFLOW_WEBHOOK_SECRET": 5,
}


def test_every_setting_has_a_wrong_value_here() -> None:
    """A new setting comes with a case below."""
    assert WRONG.keys() == Conf.table.keys()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_an_error(name: str) -> None:
    """The message names the setting, the value and what it must be; nothing raises."""
    with override_settings(**{name: WRONG[name]}):
        (sentence,) = sentences("dockerflow.E001")
    shown = "********" if Conf.table[name].secret else repr(WRONG[name])
    assert sentence.startswith(f"{name} is {shown}, but must be ")


def test_a_drain_of_more_than_a_day_is_an_error() -> None:
    """Nobody waits so long, and no system can."""
    with override_settings(DOCKERFLOW_DRAIN_SECONDS=1e300):
        (sentence,) = sentences("dockerflow.E001")
    assert sentence == "DOCKERFLOW_DRAIN_SECONDS is 1e+300, but must be a number from 0 to 86400."


def test_the_hint_says_where_to_correct_it(base_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value is corrected where it stands."""
    (base_dir / ".env").write_text("DOCKERFLOW_CHECK_TIMEOUT=soon\n")
    monkeypatch.setenv("DOCKERFLOW_ERROR_ENDPOINT", "perhaps")
    with override_settings(DOCKERFLOW_PROBE_PORT="http"):
        hints = [message.hint or "" for message in messages("dockerflow.E001")]
    assert [hint.split(",")[0] for hint in hints] == [
        "Correct it in .env",
        "Correct it in the environment",
        "Correct it in the project's settings",
    ]


def test_a_secret_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook's address holds its key, and a message of a check ends up in a log."""
    monkeypatch.setenv("DOCKERFLOW_WEBHOOK_URL", "hooks.example/hush")
    (message,) = messages("dockerflow.E001")
    assert message.msg.startswith("DOCKERFLOW_WEBHOOK_URL is ********, but must be None or an http")
    assert "hush" not in str(message)


def test_a_secret_s_file_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable that names the file."""
    monkeypatch.setenv("DOCKERFLOW_WEBHOOK_SECRET_FILE", "/nowhere/at/all")
    (sentence,) = sentences("dockerflow.E001")
    assert sentence.startswith("DOCKERFLOW_WEBHOOK_SECRET_FILE is ********, but must be the path")
    assert sentence.endswith("of a file that can be read (No such file or directory).")


def test_a_secret_s_file_that_cannot_be_is_an_error(base_dir: Path) -> None:
    """A file of settings can hold what no file is called."""
    (base_dir / ".env").write_text("DOCKERFLOW_WEBHOOK_SECRET_FILE=/a\0b")
    conf.reset()
    (sentence,) = sentences("dockerflow.E001")
    assert sentence.endswith(" is ********, but must be the path of a file.")


@pytest.mark.parametrize(
    "name",
    [
        "DOCKERFLOW_VERSION_CALLBACK",
        "DOCKERFLOW_CHECKS",
        "DOCKERFLOW_PROBES",
        "DOCKERFLOW_SUMMARY_EXTRA",
    ],
)
def test_a_variable_that_is_not_read_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sets it in a manifest would wait for an effect that never comes."""
    monkeypatch.setenv(name, "[]")
    assert sentences("dockerflow.W001") == [
        f"{name} stands in the environment, where it is not read."
    ]


def test_a_line_of_the_env_file_that_is_not_read_is_told(base_dir: Path) -> None:
    """The file is the environment's, with its limits."""
    (base_dir / ".env").write_text("DOCKERFLOW_CHECKS=[]\nDOCKERFLOW_CHECK_TIMEOUT=1\n")
    conf.reset()
    assert sentences("dockerflow.W001") == [
        "DOCKERFLOW_CHECKS stands in .env, where it is not read."
    ]


@override_settings(DOCKERFLOW_CHECKS=[], DOCKERFLOW_CHECK_TIMEOUT=1)
def test_what_is_read_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting in its place is no news."""
    monkeypatch.setenv("DOCKERFLOW_ERROR_ENDPOINT", "false")
    assert sentences("dockerflow.W001") == []
    assert sentences("dockerflow.W002") == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("DOCKERFLOW_CHEKCS", "Did you mean DOCKERFLOW_CHECKS?"),
        ("DOCKERFLOW_TIMEOUT", "Did you mean DOCKERFLOW_CHECK_TIMEOUT?"),
        ("DOCKERFLOW_FROBNICATE", "Remove it: nothing reads it."),
    ],
)
def test_a_name_that_is_none_is_told(name: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt setting has no effect, wherever it stands, and somebody should hear of it."""
    with override_settings(**{name: 1}):
        (message,) = messages("dockerflow.W002")
    assert message.msg == f"{name} in the project's settings is no setting of dockerflow_django."
    assert message.hint == hint
    monkeypatch.setenv(name, "1")
    (message,) = messages("dockerflow.W002")
    assert message.msg == f"{name} in the environment is no setting of dockerflow_django."


def test_a_name_that_is_no_utf_8_can_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment may hold any bytes, and ``manage.py check`` tells of them."""
    monkeypatch.setenv("DOCKERFLOW_\udcff", "1")
    (message,) = messages("dockerflow.W002")
    assert message.msg.startswith(r"DOCKERFLOW_\udcff in the environment is no setting")


def test_the_file_of_a_secret_is_known(base_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``NAME_FILE`` is read for secrets from the environment, and nowhere else."""
    (base_dir / "secret").write_text("hush")
    monkeypatch.setenv("DOCKERFLOW_WEBHOOK_SECRET_FILE", str(base_dir / "secret"))
    assert sentences("dockerflow.W002") == []
    monkeypatch.setenv("DOCKERFLOW_CHECK_TIMEOUT_FILE", str(base_dir / "secret"))
    (message,) = messages("dockerflow.W002")
    assert message.msg.startswith("DOCKERFLOW_CHECK_TIMEOUT_FILE in the environment is no setting")


@override_settings(DOCKERFLOW_WEBHOOK_SECRET_FILE="/run/secrets/webhook")
def test_the_file_of_a_secret_is_not_for_the_settings() -> None:
    """A settings module can read a file itself."""
    (message,) = messages("dockerflow.W002")
    assert message.hint == "Only the environment can name a file for DOCKERFLOW_WEBHOOK_SECRET."


def test_what_kubernetes_sets_for_a_service_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Service that is named dockerflow gives every container variables of that name."""
    for name, value in {
        "DOCKERFLOW_SERVICE_HOST": "10.0.0.1",
        "DOCKERFLOW_SERVICE_PORT": "80",
        "DOCKERFLOW_WEB_SERVICE_PORT_HTTP": "80",
        "DOCKERFLOW_PORT": "tcp://10.0.0.1:80",
        "DOCKERFLOW_PORT_80_TCP": "tcp://10.0.0.1:80",
        "DOCKERFLOW_PORT_80_TCP_ADDR": "10.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    assert sentences("dockerflow.W002") == []
    monkeypatch.setenv("DOCKERFLOW_PORT", "8000")
    assert len(sentences("dockerflow.W002")) == 1


def test_an_env_file_that_cannot_be_read_is_told(base_dir: Path) -> None:
    """Its values are missing, and nothing else would say so."""
    (base_dir / ".env").write_bytes(b"SECRET=\xff")
    assert sentences("dockerflow.W003") == [
        ".env in BASE_DIR cannot be read (it is not UTF-8), so no setting is taken from it."
    ]
    (base_dir / ".env").unlink()
    (base_dir / ".env").symlink_to(base_dir / ".env")
    (sentence,) = sentences("dockerflow.W003")
    assert "Too many levels of symbolic links" in sentence


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, lambda path: None])
def test_no_env_file_is_none_to_read(base_dir: Path, make: Any) -> None:
    """An empty file, a virtual environment of that name and no file at all are well."""
    make(base_dir / ".env")
    assert sentences("dockerflow.W003") == []


@pytest.mark.parametrize("value", [None, 5])
def test_a_base_dir_that_is_none_has_no_env_file(value: object) -> None:
    """The rule does not raise, whatever BASE_DIR holds."""
    with override_settings(BASE_DIR=value):
        assert sentences("dockerflow.W003") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOCKERFLOW_PROBE_PORT", 8001),
        ("DOCKERFLOW_PROBE_HOST", "10.0.0.1"),
        ("DOCKERFLOW_DRAIN_PATH", "/run/drain"),
    ],
)
def test_what_the_clients_do_not_see(
    base_dir: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    """The port, the host and the marker's path count for the clients in the environment alone."""
    with override_settings(**{name: value}):
        (message,) = messages("dockerflow.W017")
        assert message.msg.startswith(f"{name} stands in the project's settings, where")
        assert f"Set the environment variable {name} to the same value" in str(message.hint)
        monkeypatch.setenv(name, f"{value}1")
        assert sentences("dockerflow.W017") != []
        monkeypatch.setenv(name, str(value))
        assert sentences("dockerflow.W017") == []
    monkeypatch.delenv(name)
    assert sentences("dockerflow.W017") == []
    (base_dir / ".env").write_text(f"{name}={value}\n")
    conf.reset()
    (sentence,) = sentences("dockerflow.W017")
    assert sentence.startswith(f"{name} stands in .env, where")


def test_the_clients_see_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """However the environment writes a value, healthcheck and drain find it there."""
    monkeypatch.setenv("DOCKERFLOW_PROBE_PORT", " 8001")
    conf.reset()
    assert conf.DOCKERFLOW_PROBE_PORT == 8001
    assert sentences("dockerflow.W017") == []
    with override_settings(DOCKERFLOW_PROBE_PORT=8001):
        assert sentences("dockerflow.W017") == []
        monkeypatch.setenv("DOCKERFLOW_PROBE_PORT", "none")
        assert sentences("dockerflow.W017") != []


@pytest.mark.parametrize(
    ("status", "warns"), [(400, True), (499, True), (500, False), (503, False)]
)
def test_a_failure_is_not_the_clients(status: int, warns: bool) -> None:
    """Dockerflow asks for a 5xx when the heartbeat fails."""
    with override_settings(DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE=status):
        found = messages("dockerflow.W018")
    assert [str(status) in message.msg for message in found] == [True] * warns
    assert all("Set it to 500" in str(message.hint) for message in found)
