"""What runs beside the web process: its probes, its summaries, and how it stops.

``probes``   the three probes of any such process, by port and by file
``settings`` no start on wrong ones
``loop``     the same for a loop of the project's own: `serve_probes`
``headers``  what travels with a task or a message: the request's id and its trace
``amqp``     ``manage.py consume``
"""

from dockerflow_django.tasks.loop import LoopProbes, serve_probes
from dockerflow_django.tasks.outcomes import Reject, Requeue
from dockerflow_django.tasks.probes import ProbesError

__all__ = ["LoopProbes", "ProbesError", "Reject", "Requeue", "serve_probes"]
