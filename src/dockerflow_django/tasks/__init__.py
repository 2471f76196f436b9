"""What runs beside the web process: its probes, its summaries, and how it stops.

``celery``        a Celery worker, and beat
``django_tasks``  Django's own Tasks
``amqp``          ``manage.py consume`` · ``outcomes``: what its function may raise
``loop``          a loop of the project's own: `serve_probes`
``probes``        the three probes of any such process · ``forks``: its children
``answers``       what its probe port answers · ``probe_file``   the same as a file
``settings``      no start on wrong ones
``stopping``      the signals that ask it to stop
``headers``       what travels with a task or a message: the request's id and its trace
``record``        the one ``task.summary`` of a task · ``metrics``   how many tasks have ended
"""

from dockerflow_django.tasks.loop import LoopProbes, serve_probes
from dockerflow_django.tasks.outcomes import Reject, Requeue
from dockerflow_django.tasks.probes import ProbesError

__all__ = ["LoopProbes", "ProbesError", "Reject", "Requeue", "serve_probes"]
