"""The signals of the heartbeat and of the probes; the sender is `Report`, the class of the report.

Each is sent with Django's `send_robust`: a receiver that raises is logged, and the others go on.
"""

from django.dispatch import Signal

__all__ = ["heartbeat_changed", "heartbeat_failed", "heartbeat_passed"]

heartbeat_passed = Signal()
"""Sent after each evaluation that passes, once, however many requests shared it.

:param level: the worst level of all messages, a number as in Django's checks; 0 without any.
:param probe: ``"heartbeat"``, ``"liveness"``, ``"readiness"`` or ``"startup"``.
:param report: the `Report`.
"""

heartbeat_failed = Signal()
"""Sent after each evaluation that fails, once, with the same arguments.

:param level: as above.
:param probe: as above.
:param report: as above.
"""

heartbeat_changed = Signal()
"""Sent when the outcome differs from that of the evaluation before, and when the first one fails.

:param probe: ``"heartbeat"``, ``"liveness"``, ``"readiness"`` or ``"startup"``.
:param old: the outcome before: ``"passed"``, ``"failed"``, or None if this is the first.
:param new: the outcome now: ``"passed"`` or ``"failed"``.
:param report: the `Report`.
"""
