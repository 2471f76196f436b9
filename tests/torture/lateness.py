"""How late this machine wakes whoever sleeps: what a deadline cannot be blamed for."""

import subprocess
import sys

from tests.harness.closing import Closing

_NAP_SECONDS = 0.01
# An interpreter of its own: what is measured is the machine, and no lock of this process.
_PROGRAM = f"""
import select, sys, time
worst = 0.0
while True:
    begin = time.monotonic()
    if select.select([sys.stdin], [], [], {_NAP_SECONDS})[0]:
        break
    worst = max(worst, time.monotonic() - begin - {_NAP_SECONDS})
print(worst)
"""


class Lateness(Closing):
    """Naps for ten milliseconds all the time; ``seconds`` is by how much the longest was longer."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        said, _ = self._process.communicate(timeout=20)
        self.seconds = float(said)
