"""The user of a request, where the request's own code has found out: nothing is asked for it."""

from types import SimpleNamespace

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import login, logout
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpResponse
from django.test import AsyncClient, Client, RequestFactory
from django.utils.functional import SimpleLazyObject

from dockerflow_django.user_id import known_uid
from tests.summaries import PATH, WORLDS, recorded, serving

AUTH = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]


def request_with(**attributes):
    request = RequestFactory().get("/")
    vars(request).update(attributes)
    return request


def never():
    raise AssertionError("evaluated")  # pragma: no cover - never, which is the point


@pytest.mark.parametrize(
    ("attributes", "uid"),
    [
        ({}, None),
        ({"user": None}, None),
        ({"user": User(pk=3)}, "3"),
        ({"user": User()}, None),
        ({"user": AnonymousUser()}, None),
        ({"user": SimpleNamespace(pk="token-user", is_authenticated=True)}, "token-user"),
        ({"user": SimpleNamespace(pk=3)}, None),
        ({"user": "somebody"}, None),
        ({"user": SimpleLazyObject(never)}, None),
        ({"user": SimpleLazyObject(never), "_cached_user": User(pk=3)}, "3"),
        ({"user": SimpleLazyObject(never), "_acached_user": User(pk=3)}, "3"),
        ({"user": User(pk=4), "_cached_user": AnonymousUser()}, "4"),
        ({"_cached_user": AnonymousUser(), "session": {"_auth_user_id": "3"}}, None),
        ({"session": SimpleNamespace(_session_cache={"_auth_user_id": 3})}, "3"),
        ({"session": SimpleNamespace(_session_cache={})}, None),
        ({"session": SimpleNamespace(_session_cache=None)}, None),
        ({"session": SimpleNamespace()}, None),
        ({"session": {}}, None),
    ],
)
def test_what_lies_on_the_request_is_looked_at(attributes, uid):
    """A user that was put there or evaluated counts, then a session that was read."""
    assert known_uid(request_with(**attributes)) == uid


def test_evaluated_user_counts():
    """What is inside the lazy object is the user."""
    user = SimpleLazyObject(lambda: User(pk=3))
    assert user.pk == 3
    assert known_uid(request_with(user=user)) == "3"


def ask(world, view, user=None):
    """Ask with a session cookie, the user's where there is one; return response and summary."""
    client = Client() if world == "sync" else AsyncClient()
    client.cookies["sessionid"] = "x" * 32
    if user is not None:
        client.force_login(user)
    get = client.get if world == "sync" else async_to_sync(client.get)
    with serving(view, middleware=AUTH), recorded() as records:
        response = get(PATH)
    return response, records.summary


def untouched(request):
    return HttpResponse("plain")


async def untouched_async(request):
    return HttpResponse("plain")


UNTOUCHED = {"sync": untouched, "async": untouched_async}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.django_db
def test_user_that_no_view_looks_at_costs_nothing(world):
    """With a session cookie there is no query, no Vary and no uid: D6, django-structlog's two."""
    response, summary = ask(world, UNTOUCHED[world], User.objects.create())
    assert "Vary" not in response
    assert summary.db_queries == 0
    assert not hasattr(summary, "uid")


@pytest.mark.parametrize("world", WORLDS)
def test_with_the_database_down_a_cookie_does_no_harm(world):
    """This test may ask no database; a view that needs none is well: D6."""
    response, summary = ask(world, UNTOUCHED[world])
    assert response.status_code == 200
    assert summary.db_queries == 0


def user(request):
    return HttpResponse(str(request.user.is_authenticated))


async def auser(request):
    return HttpResponse(str((await request.auser()).is_authenticated))


def session(request):
    return HttpResponse(str(request.session.get("visits")))


async def asession(request):
    return HttpResponse(str(await request.session.aget("visits")))


@pytest.mark.parametrize(
    ("world", "view"),
    [("sync", user), ("async", auser), ("async", user), ("sync", session), ("async", asession)],
)
@pytest.mark.django_db
def test_user_that_the_view_looks_at_is_named(world, view):
    """Its primary key is the uid, as text: D29."""
    someone = User.objects.create()
    _, summary = ask(world, view, someone)
    assert summary.uid == str(someone.pk)


@pytest.mark.django_db
def test_login_and_logout_name_who_is_there_at_the_end():
    """`login()` replaces the anonymous user that was looked at before, `logout()` the other."""
    someone = User.objects.create()
    backend = "django.contrib.auth.backends.ModelBackend"

    def log_in(request):
        assert not request.user.is_authenticated
        login(request, someone, backend=backend)
        return HttpResponse("plain")

    def log_out(request):
        logout(request)
        return HttpResponse("plain")

    with serving(log_in, middleware=AUTH), recorded() as records:
        Client().get(PATH)
    assert records.summary.uid == str(someone.pk)
    assert not hasattr(ask("sync", log_out, someone)[1], "uid")
