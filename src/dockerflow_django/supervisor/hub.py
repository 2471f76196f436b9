"""Questions for a worker of gevent: taken from a real thread into the hub, answered in greenlets.

While the hub is busy no answer comes, and the acknowledgements of the real thread still do.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import gevent

from dockerflow_django.supervisor.channel import Question


class Hub:
    """Answers in greenlets of the hub that it was made in."""

    def __init__(self, answer: Callable[[Question], None]) -> None:
        self._answer = answer
        self._waiting: deque[Question] = deque()
        # The one thing of a hub that another thread may touch.
        self._watcher: Any = gevent.get_hub().loop.async_()
        self._watcher.start(self._spawn)

    def __call__(self, question: Question) -> None:
        """Have the question answered, as soon as the hub turns."""
        self._waiting.append(question)
        self._watcher.send()

    def _spawn(self) -> None:
        while self._waiting:
            gevent.spawn(self._answer, self._waiting.popleft())
