"""Run Python programs and servers of their own, and read what they print."""

import contextlib
import os
import socket
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.harness.ports import Port

TIMEOUT_SECONDS = 30


def run_python(program, *options, cwd=None, **environment):
    """Return what a program prints to standard output; fail where it does not end well."""
    result = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=_environment(**environment),
        timeout=TIMEOUT_SECONDS,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


class Server:
    """A Python module run as a server; ``{port}`` in its command is replaced by its port.

    Its output is read from files.
    """

    def __init__(self, command, directory, **environment):
        self._reserved = Port()
        self.port = self._reserved.number
        self.out, self.err = directory / "out.txt", directory / "err.txt"
        environment = _environment(directory, HOME=str(directory), **environment)
        with self.out.open("w") as stdout, self.err.open("w") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *(each.format(port=self.port) for each in command)],
                stdout=stdout,
                stderr=stderr,
                cwd=directory,
                env=environment,
            )

    def __enter__(self):
        self._wait(self._is_listening)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self._reserved.close()

    def stop(self, text, times=1):
        """Wait until it has written a text so often, end it, and return all its output."""
        self._wait(lambda: self.out.read_text().count(text) >= times)
        self.process.terminate()
        self.process.wait(TIMEOUT_SECONDS)
        return self.out.read_text(), self.err.read_text()

    def _is_listening(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True

    def _wait(self, condition):
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not condition():
            assert self.process.poll() is None, self.err.read_text()
            assert time.monotonic() < deadline, self.out.read_text()
            time.sleep(0.05)


def get(port, path):
    """Return the status of a request."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def _environment(*folders, **environment):
    path = [str(folder) for folder in folders] + [str(Path(entry).absolute()) for entry in sys.path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), **environment}
