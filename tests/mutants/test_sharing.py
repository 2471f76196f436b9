"""Several processes share tasks, and none of them outlives the one that shares."""

import multiprocessing
import os
import signal
import subprocess
import sys

import pytest

from tests.documents import ROOT
from tests.mutants.sharing import share

# Two processes, and one of each of them, wait for ever.
WAIT = """
import os
import signal
from tests.mutants.child import in_child
from tests.mutants.sharing import share

def wait():
    os.write(1, b"waits\\n")  # at once: `print` may write the end of the line by itself
    signal.pause()

list(share("ab", lambda task: [in_child(wait, 3600)], 2))
"""


@pytest.mark.parametrize("processes", [1, 3, 20])
def test_every_result(processes):
    """Each task has all its results, those of one task in their order."""
    results = list(share(range(10), lambda task: [(task, 1), (task, 2)], processes))
    assert sorted(results) == [(task, number) for task in range(10) for number in (1, 2)]
    assert all(results.index((task, 1)) < results.index((task, 2)) for task in range(10))


def test_at_once():
    """A task that waits for another one meets it, and results do not wait for their task's end."""
    both, told = multiprocessing.Barrier(2), multiprocessing.Event()

    def work(task):
        both.wait(60)
        yield task
        yield told.wait(60)

    results = share("ab", work, 2)
    first = next(results)
    told.set()
    assert sorted(map(str, [first, *results])) == ["True", "True", "a", "b"]


def test_who_is_free_takes_the_next():
    """A task that takes long holds up none of the others."""
    done = multiprocessing.Semaphore(0)

    def work(task):
        if task == "long":
            yield all(done.acquire(timeout=60) for _ in range(9))
        else:
            done.release()

    assert list(share(["long", *"ninetasks"], work, 2)) == [True]


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda: os._exit(0), id="ends itself"),
        pytest.param(lambda: os.kill(os.getpid(), signal.SIGKILL), id="killed"),
        pytest.param(lambda: 1 / 0, id="raises"),
    ],
)
def test_a_process_that_ends(end):
    """A process that ends before its task does is told of, after what the task has given."""

    def work(task):
        yield f"begins {task}"
        if task == "b":
            end()

    results = []
    with pytest.raises(ChildProcessError, match="has ended at b"):
        results.extend(share("ab", work, 1))
    assert results == ["begins a", "begins b"]


@pytest.mark.skipif(sys.platform != "linux", reason="No other system ends them.")
def test_nothing_lives_on():
    """If the process that shares is killed, so are those that work, and theirs."""
    process = subprocess.Popen(
        [sys.executable, "-c", WAIT], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            said = [process.stdout.readline() for _ in range(2)]
        finally:
            process.kill()
        assert said == ["waits\n", "waits\n"]
        # There is an end to what they print once all of them have ended.
        assert process.communicate(timeout=60) == ("", None)
