"""Celery: `dockerflow_django.celery.instrument` connects what lies here with an app.

``execution``   a task in the process that runs it, and its record
``requests``    the same task in the worker's main process: what its child can no longer tell
``queues``      which queue a task came from
``worker``      the bootsteps of a worker: probes, metrics · ``beat``   the same for beat
``broker``      whether the broker answers
``liveness``    whether the loop of a worker turns, and whether beat ticks
``stages``      which of these processes this is
``logs``        the project's ``LOGGING`` holds in a worker
"""
