"""Views that look at the user, the session or the databases."""

from asgiref.sync import sync_to_async
from django.contrib.auth import login as log_in
from django.contrib.auth.models import User
from django.db import connections
from django.http import HttpRequest, HttpResponse


def login(request: HttpRequest) -> HttpResponse:
    """Log the one user in, who is made the first time."""
    ada, _ = User.objects.get_or_create(username="ada")
    log_in(request, ada)
    return HttpResponse(str(ada.pk))


def user(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.user.pk))


async def user_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str((await request.auser()).pk))


def session(request: HttpRequest) -> HttpResponse:
    """Count this visitor's visits in the session."""
    visits = request.session.get("visits", 0) + 1
    request.session["visits"] = visits
    return HttpResponse(str(visits))


def queries(request: HttpRequest) -> HttpResponse:
    """Run ``n`` queries, the ``sql``, on each ``alias`` of the query string."""
    return HttpResponse(str(_query(request)))


async def queries_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(await sync_to_async(_query)(request)))


def _query(request: HttpRequest) -> int:
    done = 0
    for alias in request.GET.getlist("alias") or ["default"]:
        for _ in range(int(request.GET.get("n", "1"))):
            with connections[alias].cursor() as cursor:
                cursor.execute(request.GET.get("sql", "SELECT 1"))
                done += cursor.fetchone()[0]
    return done
