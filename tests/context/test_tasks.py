"""The task that code runs for: until its end, or that of the request that it is in."""

import pytest
from django.test import Client

from dockerflow_django.context.requests import (
    current_rid,
    current_state,
    end_request,
    start_request,
)
from dockerflow_django.context.tasks import current_task, end_task, find_task, start_task


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


def test_a_request_in_a_task(task):
    """A task that uses a test client has its id afterwards, and its queries count."""
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
