"""The task that code runs for: until its end, or that of the request that it is in."""

import pytest
from django.test import AsyncClient, Client

from dockerflow_django.context.requests import (
    current_rid,
    current_state,
    end_request,
    start_request,
)
from dockerflow_django.context.tasks import current_task, end_task, find_task, start_task
from tests.summary.conftest import site  # noqa: F401
from tests.summary.drive import begin_wsgi


@pytest.fixture
def task():
    return start_task("look", "1", "abc", in_request=False)


def test_a_task_without_an_end():
    """A task in a request is over when the request is: nobody else may know how it ended."""
    start_request("abc", None)
    left = start_task("look", "1", in_request=True)
    assert current_task() is left
    start_request("def", None)
    assert current_task() is None
    end_task(start_task("look", "2", in_request=True))
    assert (current_rid(), current_task()) == ("def", None)


def test_an_outer_task(task):
    """A task is found although one in it has not ended, and ends with it."""
    start_task("inner", "2", in_request=True)
    assert find_task("1") is task
    assert find_task("3") is None
    end_task(task)
    assert (current_rid(), current_state(), current_task()) == (None, None, None)
    assert find_task("1") is None


@pytest.mark.parametrize("may_be_left", [True, False])
def test_a_request_in_a_task(task, may_be_left):
    """A task that uses a test client has its id afterwards, and its queries count."""
    task.request.may_be_left = may_be_left
    Client().get("/plain/")
    assert (current_rid(), current_state(), current_task()) == ("abc", task.request, task)
    end_task(task)
    assert (current_rid(), current_state(), current_task()) == (None, None, None)


@pytest.mark.parametrize("ends", [True, False], ids=["ended", "left"])
def test_a_task_in_a_request_in_a_task(task, ends):
    """The outer task goes on in the request and after it, whether the inner one ended or not."""
    start_request("def", None)
    assert (current_rid(), current_task()) == ("def", task)
    inner = start_task("inner", "2", in_request=True)
    assert (current_rid(), current_task()) == ("def", inner)
    if ends:
        end_task(inner)
        assert (current_rid(), current_task()) == ("def", task)
    end_request()
    assert (current_rid(), current_task(), find_task("1")) == ("abc", task, task)
    end_task(task)
    assert (current_rid(), current_state(), current_task()) == (None, None, None)


def test_a_left_task_and_a_server(task):
    """A server's request ends a task that may have ended without a word."""
    task.request.may_be_left = True
    begin_wsgi("/plain/").close()
    assert (current_rid(), current_state(), current_task()) == (None, None, None)


def test_a_left_task_below_a_left_request(task):
    """A request made in the task that nobody has finished goes with it."""
    task.request.may_be_left = True
    start_request("def", None)
    begin_wsgi("/plain/").close()
    assert (current_rid(), current_state(), current_task()) == (None, None, None)


def test_a_task_that_ends_after_a_server_s_request(task):
    """It is found all the same: it may have asked the application without a test client."""
    task.request.may_be_left = True
    begin_wsgi("/plain/").close()
    assert find_task("1") is task
    end_task(task)
    assert find_task("1") is None


def test_a_task_with_a_sure_end_and_a_server(task):
    """Celery always says that a task has ended, so the request was made in it."""
    begin_wsgi("/plain/").close()
    assert (current_rid(), current_state(), current_task()) == ("abc", task.request, task)
    end_task(task)


@pytest.mark.parametrize("may_be_left", [True, False])
async def test_an_asynchronous_request_in_a_task(task, may_be_left):
    """What an asynchronous test client asks leaves the task as it was, too."""
    task.request.may_be_left = may_be_left
    await AsyncClient().get("/async/plain/")
    assert (current_rid(), current_state(), current_task()) == ("abc", task.request, task)
    end_task(task)
