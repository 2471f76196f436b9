"""The life of the process that serves: its ports, its container, its last words."""

import socket
from pathlib import Path

import pytest
from django.test import override_settings

from dockerflow_django.serve import run
from dockerflow_django.serve.preparation import FailedError
from tests.harness import http
from tests.harness.ports import LOOPBACK, Port, accepts
from tests.serve.building import build


def test_probe_port_that_is_told() -> None:
    """The probe port of the command line is opened instead of the settings' own."""
    with Port() as told, Port() as own, override_settings(DOCKERFLOW_PROBE_PORT=own.number):
        for given, opened, other in [(told.number, told, own), (None, own, told)]:
            with run._container(build(), given):
                address = (LOOPBACK, opened.number)
                assert http.request(address, "GET", "/__heartbeat__/liveness").status == 200
                assert not accepts(other.number)
            assert not accepts(opened.number)


def test_taken_port() -> None:
    """A port that somebody listens on is told, with the system's words."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FailedError, match=f"^{LOOPBACK}:{port}: Address already in use$"):
            run._test_bind(build("--host", LOOPBACK, "--port", str(port)))


def test_socket_file_of_a_killed_process(tmp_path: Path) -> None:
    """A socket's file that nobody answers at is removed."""
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    assert path.exists()
    run._test_bind(build("--uds", str(path)))
    assert not path.exists()


def test_socket_file_that_is_answered(tmp_path: Path) -> None:
    """A socket that somebody listens on is told, and left."""
    path = tmp_path / "app.sock"
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(path))
        taken.listen()
        with pytest.raises(FailedError, match=f"^unix:{path}: Address already in use$"):
            run._test_bind(build("--uds", str(path)))
    assert path.exists()


def test_socket_file_that_is_none(tmp_path: Path) -> None:
    """A file that is no socket is told, and left."""
    path = tmp_path / "app.sock"
    path.write_text("words")
    with pytest.raises(FailedError, match=f"^unix:{path}: there is a file that is no socket$"):
        run._test_bind(build("--uds", str(path)))
    assert path.read_text() == "words"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing/app.sock", "No such file or directory"),
        (200 * "x", "AF_UNIX path too long"),
        (300 * "x", "File name too long"),
    ],
)
def test_socket_file_that_cannot_be(tmp_path: Path, name: str, said: str) -> None:
    """A path where no socket can be made is told, with the system's words."""
    with pytest.raises(FailedError, match=f"^unix:{tmp_path / name}: {said}$"):
        run._test_bind(build("--uds", str(tmp_path / name)))


def test_host_that_is_no_name() -> None:
    """A host that cannot be a name is told."""
    with pytest.raises(FailedError, match=r"^a\.\.b:8000: .*label (empty|too long)"):
        run._test_bind(build("--host", "a..b", "--port", "8000"))
