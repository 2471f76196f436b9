"""Each mutant is judged in a process of its own, within limits of time, several at once."""

import itertools
import json
import multiprocessing
import os
import signal
import subprocess
import sys
from contextlib import closing
from functools import partial
from textwrap import dedent

import pytest

from tests.mutants.child import SharedSet, in_child

# What mutmut makes of a function: it looks which of its variants is to run.
MUTATED = """
import os
from signal import SIGKILL
active, called = "", set()

def activate(mutant):
    global active
    active = mutant

def twice(number):
    called.add("twice")
    while active == "endless":
        pass
    return number * number if active == "square" else 2 * number

def untested():
    called.add("untested")

def left():
    called.add("left")
    if active == "meets right":
        open("meeting", "rb").close()

def right():
    called.add("right")
    if active == "meets left":
        open("meeting", "wb").close()
    elif active == "kills its judge":
        os.kill(os.getppid(), SIGKILL)
"""
MUTANTS = {"twice": ["square", "same", "endless"], "untested": ["other"]}
RUN = """
import json, sys
from pathlib import Path
import mutated, pytest
from tests.mutants import driver
driver.LIMIT_SECONDS = 0
mutants, verdicts = json.loads(sys.argv[1]), Path("verdicts.json")
plugin = driver.Driver(mutants, mutated.activate, lambda: mutated.called, verdicts)
options = ["-q", "--rootdir=.", "--basetemp=t"]
sys.exit(pytest.main([*options, "test_it.py"], plugins=[plugin]))
"""


@pytest.fixture
def run(tmp_path):
    """Give a function that runs the mutants with the tests that it takes."""
    (tmp_path / "mutated.py").write_text(MUTATED)

    def run(tests, mutants=MUTANTS):
        (tmp_path / "test_it.py").write_text(dedent(tests))
        path = os.pathsep.join([str(tmp_path), *sys.path])
        return subprocess.run(
            [sys.executable, "-c", RUN, json.dumps(mutants)],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )

    return run


def test_verdicts(run, tmp_path):
    """A mutant that changes what a test sees is killed; what no test calls survives."""
    done = run("""
        from mutated import twice
        def test_two():
            assert twice(2) == 4
        def test_three():
            assert twice(3) == 6
    """)
    assert done.returncode == 0, done.stdout
    assert json.loads((tmp_path / "verdicts.json").read_text()) == {
        "square": "killed",
        "same": "survived",
        "endless": "no result",
        "other": "survived",
    }


def test_mutants_at_once(run, tmp_path):
    """Mutants of two functions that wait for each other meet, each with its temporary files."""
    os.mkfifo(tmp_path / "meeting")
    done = run(
        """
        import mutated
        def test_left(tmp_path):
            mutated.left()
            assert tmp_path.is_dir()
        def test_right(tmp_path):
            mutated.right()
            assert tmp_path.is_dir()
        """,
        {"left": ["meets right"], "right": ["meets left"]},
    )
    assert done.returncode == 0, done.stdout
    verdicts = json.loads((tmp_path / "verdicts.json").read_text())
    assert verdicts == {"meets right": "survived", "meets left": "survived"}


def test_a_judge_that_dies(run):
    """A mutant that nobody can judge any more ends the run with an error."""
    done = run(
        """
        from mutated import right
        def test_it():
            right()
        """,
        {"right": ["kills its judge"]},
    )
    assert done.returncode == pytest.ExitCode.INTERNAL_ERROR
    assert "ChildProcessError: a process has ended at right" in done.stdout


@pytest.mark.parametrize(
    "tests",
    [
        pytest.param("def test_it(): assert False", id="always"),
        pytest.param(
            "seen = []\ndef test_first(): seen.append(1)\ndef test_it(): assert seen", id="alone"
        ),
        pytest.param(
            """
            import time
            seen = []
            def test_first(): seen.append(1)
            def test_it():
                end = time.process_time() + 0.1
                while time.process_time() < end: pass
                assert not seen
            """,
            id="among others",
        ),
    ],
)
def test_a_failure_without_mutant(run, tmp_path, tests):
    """A test that fails by itself would kill every mutant: none is judged."""
    done = run(tests)
    assert done.returncode == 1
    assert "Fails without any mutant:\ntest_it.py::test_it" in done.stdout
    assert not (tmp_path / "verdicts.json").exists()


def test_result():
    """What the function returns comes back from another process."""
    process, result = in_child(lambda: (os.getpid(), ["a"]), 60)
    assert process != os.getpid()
    assert result == ["a"]


@pytest.mark.parametrize(
    ("work", "seconds", "what"),
    [
        pytest.param(lambda: os._exit(0), 60, "ended without", id="ends itself"),
        pytest.param(signal.pause, 1, "no result in time", id="waits"),
    ],
)
def test_no_result(work, seconds, what):
    """A child that gives no result is told of, and is no longer there."""
    with pytest.raises(ChildProcessError, match=what):
        in_child(work, seconds)


def test_each_step_has_its_time():
    """A child that gets on may take longer than one that stays where it is."""
    released, steps = multiprocessing.Event(), itertools.count(1)

    def step():
        number = next(steps)
        if number == 3:
            released.set()
        return number

    assert in_child(partial(released.wait, 60), 1, step)


def test_shared_set():
    """What is added in a child of a child is there too, once, and gone when it has been taken."""
    with closing(SharedSet()) as names:
        names.add("a")
        names.add("a")
        in_child(lambda: in_child(lambda: names.add("b"), 60), 60)
        assert names.take() == {"a", "b"}
        assert names.take() == set()
        names.add("a")
        assert names.take() == {"a"}
