"""The signals of the heartbeat, sent robustly: a receiver that raises is logged, and that is all.

`heartbeat_passed`, `heartbeat_failed`
    Sent once for every run of a heartbeat, however many requests shared it. Keywords: ``level``
    (int, the worst of the run), ``probe`` (``"heartbeat"``, ``"liveness"``, ``"readiness"`` or
    ``"startup"``), ``report`` (`dockerflow_django.heartbeat.report.Report`).
`heartbeat_changed`
    Sent when a heartbeat's outcome differs from that of the run before, and when the first one
    fails. Keywords: ``probe``, ``old`` (``None`` for the first), ``new`` (``"passed"`` or
    ``"failed"``), ``report``.

Under a server one thread calls the receivers, in the order of the runs. No answer waits for them.
If a receiver hangs, later notifications wait; beyond 100 the oldest is dropped, and the log says
so. In tests and in ``manage.py heartbeat`` they are called before the call returns. The sender is
`dockerflow_django.heartbeat.report.Report`.
"""

from django.dispatch import Signal

__all__ = ["heartbeat_changed", "heartbeat_failed", "heartbeat_passed"]

heartbeat_passed = Signal()
heartbeat_failed = Signal()
heartbeat_changed = Signal()
