"""The signals of a heartbeat that the app itself receives, before the project's receivers do.

A listener must not block, and never waits for a receiver of the project's. `evaluated` has the
keyword ``report``; `outcome_changed` those of `signals.heartbeat_changed`.
"""

from typing import Any

from django.dispatch import Signal
from django.utils.module_loading import import_string

evaluated = Signal()
outcome_changed = Signal()


def connect(signal: Signal, path: str) -> None:
    """Call the function at the dotted path whenever the signal is sent; the first time imports it.

    So a process that never sends it does without that module. It may be a signal of Django's too.
    """

    def receive(**kwargs: Any) -> None:
        import_string(path)(**kwargs)

    signal.connect(receive, weak=False, dispatch_uid=path)
