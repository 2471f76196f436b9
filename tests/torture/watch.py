"""A probe that is asked all the time, and what was seen when."""

import time
from dataclasses import dataclass

from tests.harness.closing import Background
from tests.harness.servers import Server

PAUSE_SECONDS = 0.1
# Longer than any answer takes; one that never comes is seen as such.
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Seen:
    """One answer: its status (0 if there was none), and when it was asked for and came."""

    asked: float
    answered: float
    status: int

    @property
    def seconds(self) -> float:
        return self.answered - self.asked


class Watch(Background):
    """Asks a server for a path, ten times a second at most, until the end of the block."""

    def __init__(self, server: Server, path: str) -> None:
        self._server = server
        self._path = path
        super().__init__()
        self.seen: list[Seen] = []

    def first(self, *, well: bool, after: float) -> Seen | None:
        """Return the first answer after that time that is good, or the first that is not."""
        for seen in list(self.seen):
            if seen.answered >= after and (seen.status == 200) is well:
                return seen
        return None

    def failing(self, *, after: float) -> list[Seen]:
        """Return the answers that are not good, to what was asked after that time."""
        return [seen for seen in list(self.seen) if seen.asked >= after and seen.status != 200]

    def _run(self) -> None:
        while not self._ended.wait(PAUSE_SECONDS):
            asked = time.monotonic()
            try:
                status = self._server.get(self._path, timeout=PATIENCE_SECONDS).status
            except OSError:
                status = 0
            self.seen.append(Seen(asked, time.monotonic(), status))
