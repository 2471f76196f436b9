"""Whom the app itself tells of a heartbeat, before the project's receivers hear of it.

A listener must not block, and never waits for a receiver of the project's. `evaluated` has the
keyword ``report``; `outcome_changed` those of `signals.heartbeat_changed`.
"""

from typing import Any

from django.dispatch import Signal
from django.utils.module_loading import import_string

evaluated = Signal()
outcome_changed = Signal()


def connect(signal: Signal, path: str) -> None:
    """Call the function at the dotted path for every signal; the first one imports it.

    A process that nobody asks for its health does without the modules that would listen.
    """

    def receive(**kwargs: Any) -> None:
        import_string(path)(**kwargs)

    signal.connect(receive, weak=False, dispatch_uid=path)
