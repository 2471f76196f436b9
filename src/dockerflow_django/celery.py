"""Connect a project's Celery app: ids, one record per task, metrics, probes, logging.

In the project's ``celery.py``, below ``app = Celery(…)``::

    from dockerflow_django.celery import instrument

    instrument(app)

.. versionadded:: 0.1
"""

from typing import Any

__all__ = ["instrument"]

_UID = "dockerflow_django.tasks.celery"


def instrument(app: Any) -> None:
    """Give a Celery app request ids, a summary of each task, metrics, logging and probes.

    Call it in the module that makes the app, so that every process that imports the app calls it:
    the web process too, since that gives its request ids to the tasks that it sends. It reads no
    settings, so it may be called while settings are loading. Needs the extra ``celery``.

    :param app: the `celery.Celery` app.
    """
    from celery import signals

    from dockerflow_django.tasks import headers
    from dockerflow_django.tasks.celery import execution, logs, stages

    receivers = {
        signals.before_task_publish: headers.add,
        signals.task_prerun: execution.start,
        signals.task_postrun: execution.finish,
        signals.setup_logging: logs.keep_project_logging,
        signals.worker_init: stages.enter_main_process,
        signals.worker_process_init: stages.enter_pool_process,
        signals.beat_init: stages.enter_beat,
    }
    for signal, receiver in receivers.items():
        signal.connect(receiver, weak=False, dispatch_uid=f"{_UID}.{receiver.__name__}")
    app.steps["worker"].add("dockerflow_django.tasks.celery.worker:DockerflowStep")
    app.steps["consumer"].add("dockerflow_django.tasks.celery.worker:LoopStep")
