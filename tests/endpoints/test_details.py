"""Who may see a heartbeat's details."""

import logging
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.test import RequestFactory, override_settings

from dockerflow_django.endpoints.details import (
    aare_allowed,
    are_allowed,
    are_allowed_without_request,
)

HERE = __name__


@pytest.fixture
def request_() -> HttpRequest:
    """Give a request as the middleware has it: no session, no user."""
    return RequestFactory().get("/__heartbeat__", headers={"x-key": "let me in"})


def by_key(request: HttpRequest) -> bool:
    """Allow whoever knows the key."""
    return request.headers.get("X-Key") == "let me in"


async def by_key_async(request: HttpRequest) -> bool:
    """Allow the same, from an event loop."""
    return by_key(request)


def by_user(request: HttpRequest) -> bool:
    """Allow whoever is signed in, which a request that is answered early never is."""
    return bool(request.user.is_staff)  # type: ignore[union-attr]


async def in_both_worlds(request: HttpRequest) -> bool:
    """Ask in both worlds, and return what both say."""
    answers = {await aare_allowed(request), await sync_to_async(are_allowed)(request)}
    (answer,) = answers
    return answer


@pytest.mark.parametrize(
    ("details", "debug", "allowed"),
    [
        ("debug", True, True),
        ("debug", False, False),
        ("always", True, True),
        ("always", False, True),
        ("never", True, False),
        ("never", False, False),
    ],
)
async def test_the_words(request_: HttpRequest, details: str, debug: bool, allowed: bool) -> None:
    """By default details are shown where DEBUG is on, and not the other way round (D34)."""
    with override_settings(DOCKERFLOW_HEARTBEAT_DETAILS=details, DEBUG=debug):
        assert await in_both_worlds(request_) is allowed


@pytest.mark.parametrize(
    "details", [by_key, by_key_async, f"{HERE}.by_key", f"{HERE}.by_key_async"]
)
async def test_a_callable_decides(request_: HttpRequest, details: Any) -> None:
    """It may be named or given, sync or async, and sees the request."""
    with override_settings(DOCKERFLOW_HEARTBEAT_DETAILS=details):
        assert await in_both_worlds(request_) is True
        assert await in_both_worlds(RequestFactory().get("/__heartbeat__")) is False


@pytest.mark.parametrize("answer", [None, 0, 1, "yes", [True], object()])
async def test_anything_but_true_means_no(request_: HttpRequest, answer: object) -> None:
    """A callable that returns what it found, instead of whether, shows nothing to anybody."""
    with override_settings(DOCKERFLOW_HEARTBEAT_DETAILS=lambda request: answer):
        assert await in_both_worlds(request_) is False


@pytest.mark.parametrize("details", [by_user, "shop.may_see", f"{HERE}.nothing"])
async def test_a_callable_that_raises_means_no(
    request_: HttpRequest, details: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Details stay hidden, and the log says why once, not at every poll (D15)."""
    with override_settings(DOCKERFLOW_HEARTBEAT_DETAILS=details):
        for _ in range(3):
            assert await in_both_worlds(request_) is False
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("dockerflow_django", logging.ERROR)
    assert record.exc_info


async def test_another_callable_that_raises_is_logged_again(
    request_: HttpRequest, caplog: pytest.LogCaptureFixture
) -> None:
    """What was logged is forgotten with the setting that it was about."""
    for _ in range(2):
        with override_settings(DOCKERFLOW_HEARTBEAT_DETAILS=by_user):
            assert await in_both_worlds(request_) is False
    assert len(caplog.records) == 2


async def test_a_wrong_value_shows_nothing(request_: HttpRequest) -> None:
    """A word that is none counts as absent, so the default holds."""
    with override_settings(DOCKERFLOW_HEARTBEAT_DETAILS="allways"):
        assert await in_both_worlds(request_) is False


@pytest.mark.parametrize("details", ["never", "debug", by_user])
async def test_the_token_shows_details_in_any_case(details: Any) -> None:
    """An operator who sends it sees them in production, on an early answer too."""
    with override_settings(DOCKERFLOW_HEARTBEAT_DETAILS=details, DOCKERFLOW_HEARTBEAT_TOKEN="hush"):
        right = RequestFactory().get("/", headers={"authorization": "Bearer hush"})
        wrong = RequestFactory().get("/", headers={"authorization": "Bearer hush!"})
        assert await in_both_worlds(right) is True
        assert await in_both_worlds(wrong) is False
        assert are_allowed_without_request("Bearer hush")
        assert not are_allowed_without_request("Bearer hush!")


@pytest.mark.parametrize("token", ["", None, "schlüssel", " hush"])
def test_without_a_token_nothing_is_one(token: object) -> None:
    """An empty token means that there is none; one that cannot be read lets nobody in."""
    with override_settings(
        DOCKERFLOW_HEARTBEAT_TOKEN=token, DOCKERFLOW_HEARTBEAT_DETAILS="never", DEBUG=True
    ):
        for given in ("", "Bearer", "Bearer ", f"Bearer {token}"):
            assert not are_allowed_without_request(given)


@pytest.mark.parametrize("details", [by_user, f"{HERE}.by_key"])
def test_a_callable_means_no_without_a_request(details: Any) -> None:
    """On the probe port it has nothing to judge, so it is not called."""
    with override_settings(DOCKERFLOW_HEARTBEAT_DETAILS=details, DEBUG=True):
        assert not are_allowed_without_request(None)
