"""Work that is shared among forked processes, of which each takes the next task when it is free."""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from signal import SIGKILL
from typing import Any

from tests.mutants.child import fork

# What a process says when it has no task.
FREE = None


def share(
    tasks: Iterable[Any], work: Callable[[Any], Iterable[Any]], processes: int
) -> Iterator[Any]:
    """Yield what `work` yields for the tasks, as it comes from so many processes.

    ChildProcessError names the task whose process has ended.
    """
    left = iter(tasks)
    ids: dict[Connection, int] = {}
    try:
        for _ in range(processes):
            ours, theirs = Pipe()
            ids[ours] = fork(partial(_take_tasks, theirs, work))
            theirs.close()
        busy: dict[Connection, Any] = dict.fromkeys(ids, "the first task")
        while busy:
            for connection in wait(list(busy)):
                if (result := _receive(connection, busy[connection])) is not FREE:
                    yield result
                    continue
                del busy[connection]
                for task in islice(left, 1):
                    busy[connection] = task
                    connection.send(task)
    finally:
        for each in ids.values():
            os.kill(each, SIGKILL)
            os.waitpid(each, 0)


def _take_tasks(connection: Connection, work: Callable[[Any], Iterable[Any]]) -> None:
    while True:
        connection.send(FREE)
        for result in work(connection.recv()):
            connection.send(result)


def _receive(connection: Connection, task: Any) -> Any:
    try:
        return connection.recv()
    except (EOFError, ConnectionError):
        raise ChildProcessError(f"a process has ended at {task}") from None
