"""The project's `LOGGING` holds in a worker: one line a record, with the id of what caused it."""

import json
import logging

import pytest

from dockerflow_django.tasks.celery import logs
from tests.tasks.celery.workers import MODULE, Celeryd


@pytest.mark.long
@pytest.mark.parametrize("options", [["--pool=prefork"], ["--pool=threads"], ["--pool=solo"]])
def test_every_record_of_a_task(celeryd, options):
    """A record written in a task is one line, of the project's formatter, with rid and task."""
    with celeryd.worker("--concurrency=1", "--loglevel=DEBUG", *options) as worker:
        task_id = celeryd.send("tell", "to whom it may concern")
        (summary,) = worker.wait_for_summaries(task_id)
        lines = [line for line in worker.lines() if "to whom it may concern" in line]
        (record,) = worker.records("project.tasks")
    assert record["Fields"] == {
        "msg": "to whom it may concern",
        "rid": summary["rid"],
        "task": f"{MODULE}.tell",
        "task_id": task_id,
    }
    # Celery's record of receiving it, ours, and what the task printed, as it was.
    assert "printed: to whom it may concern" in lines
    assert sum(line.startswith("{") for line in lines) >= 1


@pytest.mark.long
def test_children_that_are_spawned(celeryd):
    """A spawned child configures logging as the project wants it, too."""
    celeryd.conf = {"worker_pool_start_method": "spawn"}
    with celeryd.worker("--concurrency=1") as worker:
        (summary,) = worker.wait_for_summaries(celeryd.send("tell"))
        (record,) = worker.records("project.tasks")
    assert record["Fields"]["rid"] == summary["rid"]


@pytest.mark.long
def test_without_a_logging_of_its_own(project, celeryd):
    """A project that configures no root logger has Celery's level, and plain lines."""
    without = Celeryd(project.with_settings(LOGGING_CONFIG=None), celeryd.broker)
    with without.worker("--concurrency=1", "--loglevel=INFO", PROJECT_LOGGING="") as worker:
        task_id = without.send("tell")
        worker.wait_for_line(rf"{task_id}\] succeeded", timeout=30)
        assert not [line for line in worker.lines() if is_json(line)]
    without.close()


def is_json(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


@pytest.fixture
def root():
    """Give the root logger, whose level is afterwards what it was."""
    root = logging.getLogger()
    level = root.level
    yield root
    root.setLevel(level)


def test_without_a_handler(root, monkeypatch, tmp_path):
    """Without a handler of the project's, the options of the command say where to log."""
    monkeypatch.setattr(root, "handlers", [])
    path = tmp_path / "log"
    logs.keep_project_logging(logging.INFO, str(path), "%(levelname)s: %(message)s")
    (handler,) = root.handlers
    handler.handle(logging.makeLogRecord({"levelname": "INFO", "msg": "said"}))
    handler.close()
    assert (path.read_text(), root.level) == ("INFO: said\n", logging.INFO)
    logs.keep_project_logging(logging.DEBUG)
    assert root.handlers == [handler]
