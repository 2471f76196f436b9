"""Who the user is, told where the view has found out, at no cost where it has not."""

from types import SimpleNamespace

import pytest
from django.contrib.auth import login, logout
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.functional import SimpleLazyObject

from dockerflow_django.summary.user_id import known_uid

SESSION_KEY = "_auth_user_id"


@pytest.fixture
def cookie(db):
    """Log a user in; return the session's cookie and the user's key."""
    client = Client()
    user = User.objects.create_user("ada")
    client.force_login(user)
    return client.cookies["sessionid"].value, str(user.pk)


def test_who_was_not_looked_at_costs_nothing(visit, summaries, cookie):
    """A cookie alone: no query, no `Vary`, no `uid` (D6, django-structlog)."""
    with CaptureQueriesContext(connection) as queries:
        response = visit("/plain/", cookie[0])
    assert (response.status_code, len(queries)) == (200, 0)
    assert "Vary" not in response.headers
    assert not hasattr(summaries[0], "uid")


def test_with_the_database_down_a_cookie_does_no_harm(visit, summaries):
    """A view that needs no database is answered without one (D6)."""
    response = visit("/plain/", "0" * 32)
    assert (response.status_code, summaries[0].errno) == (200, 0)
    assert "Vary" not in response.headers


def test_who_was_looked_at_is_told(visit, summaries, cookie):
    """As text, and with the view's two queries, not one more (D6, D29)."""
    with CaptureQueriesContext(connection) as queries:
        visit("/user/", cookie[0])
    assert (summaries[0].uid, len(queries), summaries[0].db_queries) == (cookie[1], 2, 2)


def test_a_session_that_was_read_tells(visit, summaries, cookie):
    """The user need not be loaded for it."""
    with CaptureQueriesContext(connection) as queries:
        visit("/session/", cookie[0])
    assert (summaries[0].uid, len(queries)) == (cookie[1], 1)


@pytest.mark.django_db
def test_who_is_there_at_the_end_is_told(make_request):
    """`login()` replaces the anonymous user that was looked at before, `logout()` the other."""
    request = make_request()
    request.session = SessionStore()
    AuthenticationMiddleware(HttpResponse)(request)
    assert not request.user.is_authenticated
    ada = User.objects.create_user("ada")
    login(request, ada, backend="django.contrib.auth.backends.ModelBackend")
    assert known_uid(request) == str(ada.pk)
    logout(request)
    assert known_uid(request) is None


@pytest.mark.parametrize("url", ["/user/", "/session/"])
@pytest.mark.django_db
def test_nobody_is_not_told(visit, summaries, url):
    """Neither an anonymous user nor an empty session has an id."""
    visit(url)
    assert not hasattr(summaries[0], "uid")


class Person:
    """A user of a project's own making."""

    def __init__(self, pk, is_authenticated=True):
        self.pk = pk
        self.is_authenticated = is_authenticated


@pytest.mark.parametrize(
    ("user", "uid"),
    [
        (Person(7), "7"),
        (Person("a-b"), "a-b"),
        (Person(0), "0"),
        (Person(7, is_authenticated=False), None),
        (Person(None), None),
        (AnonymousUser(), None),
        (object(), None),
        (SimpleNamespace(pk=7), None),
        (None, None),
    ],
)
def test_a_library_may_have_put_a_user_there(make_request, user, uid):
    """Django REST framework sets it on the request itself (django-structlog reads it too early)."""
    request = make_request()
    request.user = user
    assert known_uid(request) == uid


def test_a_lazy_user_is_not_evaluated(make_request):
    """What nobody has asked for is not asked for here."""
    request = make_request()
    request.user = SimpleLazyObject(pytest.fail)
    assert known_uid(request) is None


def test_a_lazy_user_that_was_evaluated_tells(make_request):
    """It holds its result."""
    request = make_request()
    request.user = SimpleLazyObject(lambda: Person(7))
    assert request.user.pk == 7
    assert known_uid(request) == "7"


@pytest.mark.parametrize("name", ["_cached_user", "_acached_user"])
def test_a_cached_user_tells(make_request, name):
    """`auser()` leaves its result beside the lazy object."""
    request = make_request()
    request.user = SimpleLazyObject(pytest.fail)
    setattr(request, name, Person(7))
    assert known_uid(request) == "7"


def test_a_user_that_is_none_hides_no_cached_one(make_request):
    """A library may have emptied the one, and left the other."""
    request = make_request()
    request.user, request._cached_user = None, Person(7)
    assert known_uid(request) == "7"


@pytest.mark.parametrize(
    ("read", "uid"),
    [
        ({SESSION_KEY: 7}, "7"),
        ({SESSION_KEY: "7"}, "7"),
        ({SESSION_KEY: None}, None),
        ({}, None),
        (None, None),
        ("odd", None),
    ],
)
def test_a_session_tells_what_was_read(make_request, read, uid):
    """And notes no access, so that no `Vary` is added."""
    request = make_request()
    request.session = SessionStore("0" * 32)
    request.session._session_cache = read
    assert (known_uid(request), request.session.accessed) == (uid, False)


def test_a_session_that_was_not_read_stays_unread(make_request):
    """The database is not needed for it."""
    request = make_request()
    request.session = SessionStore("0" * 32)
    assert (known_uid(request), request.session.accessed) == (None, False)


@pytest.mark.parametrize("session", [None, {SESSION_KEY: 7}, object()])
def test_another_kind_of_session_does_no_harm(make_request, session):
    """A test or a library may have put anything there."""
    request = make_request()
    request.session = session
    assert known_uid(request) is None


def test_a_bare_request_has_none(make_request):
    """Without both middlewares there is nothing to look at."""
    assert known_uid(make_request()) is None
