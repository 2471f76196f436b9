"""Signals of a background worker: none is lost, and a child of its handler has none of them."""

import signal
import subprocess
import sys

from dockerflow_django.tasks.stopping import StopSignals

EARLY = """
import os, signal, threading
from dockerflow_django.tasks.stopping import StopSignals
signals, heard, counts = StopSignals(), threading.Event(), []
signals.install()
os.kill(os.getpid(), signal.SIGTERM)
os.kill(os.getpid(), signal.SIGUSR1) if signal.signal(signal.SIGUSR1, lambda *_: None) else None
os.kill(os.getpid(), signal.SIGINT)

def listen(count):
    counts.append(count)
    if count == 2:
        heard.set()

signals.listen(listen)
assert heard.wait(10)
print(counts)
"""
FORK = """
import os, signal
from dockerflow_django.tasks.stopping import StopSignals
signals = StopSignals()
signals.install()
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGTERM)
    os._exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_signals_before_anybody_listens() -> None:
    """A signal that came before is counted when somebody listens; other signals are not."""
    assert run(EARLY) == "[1, 2]"


def test_a_forked_child_ends_by_the_signal() -> None:
    """A child of the handler ends by SIGTERM as any program, and tells its parent nothing."""
    assert run(FORK) == "-15"


def test_listening_ends_with_the_line() -> None:
    """Other signals' bytes are passed over, and the thread ends when the line is closed."""
    signals, counts = StopSignals(), []
    signals._writer.send(bytes([signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT]))
    signals._writer.close()
    signals._listen(counts.append)
    assert counts == [1, 2]
    signals._reader.close()
