"""The id of the current request, and who has it."""

import asyncio
import re
import subprocess
import sys
import threading

import pytest
from asgiref.sync import sync_to_async

from dockerflow_django.context import (
    current_rid,
    current_state,
    current_trace,
    enter,
    leave,
    pause,
    request_id_context,
    resume,
)
from dockerflow_django.trace import Trace

RID = "AZaz09._-+/=:@"
TRACE = Trace("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")


@pytest.fixture(autouse=True)
def _leave():
    yield
    leave()


@pytest.mark.parametrize("wanted", [RID, "x", "x" * 128])
def test_valid_id_is_taken(wanted):
    """What the client sends is the request's id where it is short and of harmless characters."""
    assert enter(wanted, None).rid == wanted
    assert current_rid() == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        None,
        "",
        "x" * 129,
        "x" * 20_000,
        "a\r\nX-Evil: 1",
        "a\n",
        "a\0b",
        "höhe",
        "٣",
        "one, two",
        "one,two",
        "a b",
        "{x}",
        '"',
    ],
)
def test_invalid_id_is_replaced(wanted):
    """Anything else becomes 32 hex digits: D11, and django-log-request-id's unlimited id."""
    assert re.fullmatch(r"[0-9a-f]{32}", enter(wanted, None).rid)


def test_new_ids_differ():
    """Two requests without an id have two."""
    assert enter(None, None).rid != enter(None, None).rid


def test_outside_of_a_request_there_is_nothing():
    """Before a request and after it no id, trace or state is known: D10, D29."""
    assert (current_rid(), current_trace(), current_state()) == (None, None, None)
    state = enter(RID, TRACE)
    assert (current_rid(), current_trace(), current_state()) == (RID, TRACE, state)
    leave()
    assert (current_rid(), current_trace(), current_state()) == (None, None, None)


async def test_tasks_and_threads_of_a_request_have_its_id():
    """What the request starts with its context belongs to it, a bare thread does not."""
    bare = []
    enter(RID, TRACE)

    async def task():
        return current_rid(), current_trace()

    assert await asyncio.create_task(task()) == (RID, TRACE)
    assert await sync_to_async(current_rid)() == RID
    assert await asyncio.to_thread(current_rid) == RID
    thread = threading.Thread(target=lambda: bare.append(current_rid()))
    thread.start()
    thread.join()
    assert bare == [None]


async def test_requests_side_by_side_have_their_own_ids():
    """A task that begins a request takes its id from nobody else's context."""
    both = asyncio.Barrier(2)

    async def request(rid):
        enter(rid, None)
        await both.wait()
        return current_rid()

    assert await asyncio.gather(request("one"), request("two")) == ["one", "two"]
    assert current_rid() is None


def test_resumed_request_is_the_current_one_until_paused():
    """A request goes on amid another, which is the current one again afterwards."""
    first = enter("one", TRACE)
    second = enter("two", None)
    resumed = resume(first)
    assert (current_rid(), current_state(), current_trace()) == ("one", first, TRACE)
    pause(resumed)
    assert (current_rid(), current_state(), current_trace()) == ("two", second, None)


def test_resuming_the_current_request_changes_nothing():
    """Nothing is to be undone then."""
    state = enter(RID, None)
    assert resume(state) is None
    pause(None)
    assert current_state() is state


def test_python_dockerflows_variable_holds_the_id():
    """Code that reads python-dockerflow's context variable goes on working."""
    enter(RID, None)
    assert request_id_context.get() == RID


def test_no_django_is_imported():
    """Log filters import this while the settings load."""
    code = "import sys, dockerflow_django.context; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
