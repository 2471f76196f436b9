"""A browser without a window: what it makes of a page, and what it says about it."""

import os
import signal
import struct
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.harness.programs import find_program

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--enable-logging=stderr", "--virtual-time-budget=2000"),
)


class Visit(NamedTuple):
    """The page's DOM when it had loaded, and the lines of the browser's console."""

    dom: str
    console: list[str]


def visit(url: str, *, dark: bool = False) -> Visit:
    """Load the page and return its DOM."""
    done = _run(url, _scheme(dark), "--dump-dom")
    return Visit(done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line])


@contextmanager
def left_open(url: str) -> Iterator[None]:
    """Let a person look at the page for a while, whose time is the world's."""
    with TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        flags = [
            *(flag for flag in FLAGS if "virtual-time" not in flag),
            f"--user-data-dir={folder}",
        ]
        process = subprocess.Popen(
            [find_program("chromium"), *flags, url],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield
        finally:
            # The browser's own processes are of its group.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def take_picture(url: str, path: Path, *, width: int, height: int, dark: bool = False) -> None:
    """Save what the page looks like to those who have asked for light colours, or dark ones."""
    # Else a busy machine may leave out what has not been painted yet.
    whole = "--run-all-compositor-stages-before-draw"
    _run(
        url,
        _scheme(dark),
        whole,
        f"--window-size={width},{height}",
        f"--screenshot={path}",
    )


def _scheme(dark: bool) -> str:
    return f"--blink-settings=preferredColorScheme={0 if dark else 1}"


def corner_of(picture: Path) -> tuple[int, ...]:
    """Return the red, green and blue of the top left pixel, which no filter of PNG changes."""
    data, position, pixels = picture.read_bytes(), 8, b""
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        if data[position + 4 : position + 8] == b"IDAT":
            pixels += data[position + 8 : position + 8 + length]
        position += 12 + length
    return tuple(zlib.decompress(pixels)[1:4])


def _run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    with TemporaryDirectory(prefix="chromium-") as folder:
        command = [find_program("chromium"), *FLAGS, f"--user-data-dir={folder}", *arguments, url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done
