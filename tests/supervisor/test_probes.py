"""What the last answers of all workers amount to: nothing is asked on an answer's way."""

import json

import pytest

from dockerflow_django.supervisor.channel import PART_BYTES, Question
from dockerflow_django.supervisor.probes import ContainerProbes, Verdict
from tests.harness.waiting import wait_until
from tests.supervisor.conftest import (
    FROZEN,
    SILENT_SECONDS,
    START_SECONDS,
    FakeWorker,
    pass_time,
)

PROBES = ("liveness", "readiness", "startup")


def outcomes(probes: ContainerProbes) -> tuple[str, ...]:
    """Return the outcomes of the three probes."""
    return tuple(probes.verdict(probe).outcome for probe in PROBES)


def wait_for(probes: ContainerProbes, *wanted: str) -> None:
    wait_until(lambda: outcomes(probes) == wanted, what=lambda: f"{wanted}, not {outcomes(probes)}")


def test_before_the_first_worker(probes: ContainerProbes) -> None:
    """Without a worker the container lives, and is not ready; nobody is blamed however long."""
    assert outcomes(probes) == ("passed", "failed", "failed")
    for _ in range(3):
        pass_time(probes, START_SECONDS)
    assert probes.verdict("liveness").outcome == "passed"
    assert probes.verdict("readiness").is_expected


def test_worker_that_serves(probes: ContainerProbes) -> None:
    """A worker is asked as soon as it serves, and what it says holds."""
    worker = FakeWorker(probes, 1)
    assert outcomes(probes) == ("passed", "failed", "failed")
    worker.serve()
    wait_for(probes, "passed", "passed", "passed")


def test_worst_answer_counts(probes: ContainerProbes) -> None:
    """Of two that serve the worse one counts."""
    one, two = FakeWorker(probes, 1), FakeWorker(probes, 2)
    two.outcomes["readiness"] = ("failed", 40)
    for worker in (one, two):
        worker.serve().wait_until_heard()
    assert outcomes(probes) == ("passed", "failed", "passed")
    assert probes.verdict("readiness").messages == {"x": {"x.E1": "no"}}


def test_no_question_is_asked_for_an_answer(probes: ContainerProbes) -> None:
    """Whoever asks for a probe gets what is known: the worker hears nothing of it."""
    worker = FakeWorker(probes, 1).serve()
    wait_for(probes, "passed", "passed", "passed")
    worker.wait_until_heard()
    asked = len(worker.asked)
    for _ in range(1000):
        probes.verdict("liveness")
    assert len(worker.asked) == asked


def test_slow_answer_is_not_a_bad_one(probes: ContainerProbes) -> None:
    """As long as a worker says anything its last answers hold, however long the next take."""
    worker = FakeWorker(probes, 1).serve()
    wait_for(probes, "passed", "passed", "passed")
    worker.outcomes.pop("readiness")
    worker.outcomes.pop("startup")
    for _ in range(10):
        pass_time(probes, SILENT_SECONDS / 2)  # liveness is answered, the rest is not
        wait_until(
            lambda: "liveness" not in {each.name for each in list(worker.known.open.values())}
        )
    assert outcomes(probes) == ("passed", "passed", "passed")
    assert len([each for each in worker.asked if each.name == "startup"]) <= 3


def test_silent_worker_fails_everything(probes: ContainerProbes) -> None:
    """A worker that says nothing for the silent time fails all three, and is well again after."""
    worker, other = FakeWorker(probes, 1).serve(), FakeWorker(probes, 2).serve()
    wait_for(probes, "passed", "passed", "passed")
    worker.wait_until_heard()
    other.wait_until_heard()
    receive = worker.channel._receive
    worker.freeze()
    pass_time(probes, 1.5)  # its next question, which may have its last word for an answer
    wait_until(lambda: worker._listen.name == FROZEN)
    pass_time(probes, 0)
    pass_time(probes, SILENT_SECONDS)
    assert outcomes(probes) == ("passed", "passed", "passed")
    pass_time(probes, 1)
    assert outcomes(probes) == ("failed", "failed", "failed")
    assert "Worker 1 does not answer" in json.dumps(probes.verdict("liveness").payload)
    worker.channel._receive = receive  # type: ignore[method-assign]
    worker.channel.notify({})
    wait_for(probes, "passed", "passed", "passed")


def test_worker_that_cannot_answer(probes: ContainerProbes) -> None:
    """A worker that cannot evaluate its probes, for want of memory say, fails them; none is hasty.

    Before it served it answered nothing, and that is no such answer.
    """
    FakeWorker(probes, 1).serve()
    wait_for(probes, "passed", "passed", "passed")
    broken = FakeWorker(probes, 2)
    broken.outcomes = dict.fromkeys(PROBES, ("broken", 0))
    pass_time(probes, 1)
    wait_until(lambda: not broken.known.open)
    assert outcomes(probes) == ("passed", "passed", "passed")
    broken.serve()
    wait_for(probes, "failed", "failed", "failed")
    wait_until(lambda: not broken.known.open)
    for _ in range(5):
        pass_time(probes, 0)
    assert len(broken.asked) == len(PROBES)


def test_worker_that_begins_to_serve_between_two_answers(probes: ContainerProbes) -> None:
    """What it could not answer yet it is asked again at once, whatever else it has answered."""
    worker = FakeWorker(probes, 1)
    worker.outcomes["readiness"] = ("early", 0)
    worker.serve()
    wait_for(probes, "passed", "passed", "passed")
    assert [each.name for each in worker.asked].count("readiness") == 2


def test_fault_while_looking_after(
    probes: ContainerProbes, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault in the thread that looks after the workers is logged, and it goes on."""
    tick = probes.pool.on_tick
    probes.pool.on_tick = lambda: 1 / 0  # type: ignore[assignment,return-value]
    probes.pool.wake()
    wait_until(lambda: "The workers could not be looked after" in caplog.text)
    assert "ZeroDivisionError" in caplog.text
    probes.pool.on_tick = tick
    FakeWorker(probes, 1).serve()
    wait_for(probes, "passed", "passed", "passed")


def test_question_to_one_that_is_gone(probes: ContainerProbes) -> None:
    """Whoever asks a worker that has just been removed does not wait for an answer."""
    worker = FakeWorker(probes, 1).serve()
    wait_until(lambda: worker.known.serves)
    probes.pool.remove(worker.known)
    question = probes.pool.ask(worker.known, "readiness")
    assert question.is_over.is_set()
    assert question.answer is None


def test_starting_worker_is_left_out(probes: ContainerProbes) -> None:
    """As long as one serves, those that are still starting fail nothing."""
    FakeWorker(probes, 1).serve()
    wait_for(probes, "passed", "passed", "passed")
    late = FakeWorker(probes, 2)
    assert outcomes(probes) == ("passed", "passed", "passed")
    late.outcomes.clear()
    late.serve()
    wait_until(lambda: len(late.asked) == 3)
    assert outcomes(probes) == ("passed", "passed", "passed")


def test_last_words_of_a_worker_that_is_to_stop(probes: ContainerProbes) -> None:
    """What a worker has said counts when it is told to stop, before anybody has looked."""
    for number in range(20):
        worker = FakeWorker(probes, number).serve()
        probes.pool.stopping(worker.known)
        assert worker.known.serves
        assert not worker.known.is_serving


def test_worker_that_never_serves(probes: ContainerProbes) -> None:
    """A worker that does not serve in time fails liveness, and leaves readiness to the others."""
    FakeWorker(probes, 1).serve()
    FakeWorker(probes, 2)
    wait_for(probes, "passed", "passed", "passed")
    pass_time(probes, START_SECONDS + 1)
    wait_for(probes, "failed", "passed", "passed")


def test_container_that_never_serves(probes: ContainerProbes) -> None:
    """If no worker has served in time everything fails, however often they were replaced."""
    told: list[tuple[str, str | None, Verdict]] = []
    probes.on_change = lambda *change: told.append(change)
    for number in range(4):
        worker = FakeWorker(probes, number)
        pass_time(probes, 0)
        wait_until(lambda: worker.known.spoke_at is not None and not worker.known.open)  # noqa: B023
        pass_time(probes, START_SECONDS / 3)
        probes.pool.remove(worker.known)
    pass_time(probes, 0)
    assert outcomes(probes) == ("failed", "failed", "failed")
    assert [(probe, old, verdict.outcome) for probe, old, verdict in told] == [
        ("liveness", None, "passed"),
        ("liveness", "passed", "failed"),
        ("readiness", None, "failed"),
        ("startup", None, "failed"),
    ]


def test_late_words_of_a_worker_that_is_gone(probes: ContainerProbes) -> None:
    """What a worker said last goes with it, and so do its descriptors."""
    FakeWorker(probes, 1).serve()
    two = FakeWorker(probes, 2)
    two.outcomes["liveness"] = ("failed", 40)
    two.serve()
    wait_for(probes, "failed", "passed", "passed")
    two.channel.notify({"problem": "late"})
    probes.pool.remove(two.known)
    wait_for(probes, "passed", "passed", "passed")
    wait_until(lambda: two.known.end.fileno() == -1)


def test_dead_worker_is_not_serving(probes: ContainerProbes) -> None:
    """From the end of its line on a worker serves no more, before its process is waited for."""
    worker = FakeWorker(probes, 1).serve()
    wait_for(probes, "passed", "passed", "passed")
    worker.end()
    wait_for(probes, "passed", "failed", "failed")
    assert not probes.verdict("readiness").is_expected


def test_draining(probes: ContainerProbes) -> None:
    """Readiness fails from the first moment of a drain to its end, births and deaths included."""
    worker = FakeWorker(probes, 1).serve()
    wait_for(probes, "passed", "passed", "passed")
    probes.pool.drain()
    assert outcomes(probes) == ("passed", "failed", "passed")
    assert probes.verdict("readiness").is_expected
    wait_until(lambda: worker.channel.is_draining)
    born = FakeWorker(probes, 2).serve()
    wait_until(lambda: born.channel.is_draining)
    probes.pool.remove(worker.known)
    assert probes.verdict("readiness").outcome == "failed"
    probes.pool.stopping(born.known)
    assert outcomes(probes) == ("passed", "failed", "failed")
    assert probes.verdict("readiness").is_expected


def test_changes_are_told_once(probes: ContainerProbes) -> None:
    """Each change is told once; that a life begins with starting is none."""
    told: list[tuple[str, str | None, str]] = []
    probes.on_change = lambda probe, old, verdict: told.append((probe, old, verdict.outcome))
    worker = FakeWorker(probes, 1).serve()
    wait_until(lambda: len(told) == 3)
    assert set(told) == {(probe, None, "passed") for probe in PROBES}
    worker.outcomes["readiness"] = ("failed", 40)
    pass_time(probes, 1)
    wait_until(lambda: len(told) == 4)
    pass_time(probes, 1)
    worker.outcomes["readiness"] = ("passed", 0)
    pass_time(probes, 1)
    wait_until(lambda: len(told) == 5)
    assert told[3:] == [("readiness", "passed", "failed"), ("readiness", "failed", "passed")]


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]"])
def test_broken_answer(probes: ContainerProbes, body: bytes) -> None:
    """An answer that cannot be read fails its probe, and nothing else."""
    worker = FakeWorker(probes, 1)
    answer = worker._answer

    def break_it(question: object) -> None:
        if getattr(question, "name", "") == "readiness":
            message = {"outcome": "passed", "level": 0}
            worker.channel.send_answer(question, message, body)  # type: ignore[arg-type]
        else:
            answer(question)  # type: ignore[arg-type]

    worker.channel.serve_questions(break_it)
    wait_for(probes, "passed", "failed", "passed")


def test_many_messages(probes: ContainerProbes) -> None:
    """An answer with more messages than any buffer holds counts as a short one does, in whole."""
    worker = FakeWorker(probes, 1).serve()
    wait_for(probes, "passed", "passed", "passed")
    worker.messages = {f"x.E{number}": 150 * "x" for number in range(2000)}
    worker.outcomes["readiness"] = ("failed", 40)
    pass_time(probes, 1)
    wait_for(probes, "passed", "failed", "passed")
    assert probes.verdict("readiness").messages == {"x": worker.messages}


def test_answer_that_cannot_be_sent(probes: ContainerProbes) -> None:
    """One too long for a message fails its probe, and the next one counts again."""
    worker = FakeWorker(probes, 1)
    answer = worker._answer
    has_much_to_say = True

    def say_much(question: Question) -> None:
        if question.name == "readiness" and has_much_to_say:
            worker.channel.send_answer(question, {"outcome": "passed", "words": PART_BYTES * "x"})
        else:
            answer(question)

    worker.channel.serve_questions(say_much)
    wait_for(probes, "passed", "failed", "passed")
    has_much_to_say = False
    pass_time(probes, 1)
    wait_for(probes, "passed", "passed", "passed")
