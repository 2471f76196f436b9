"""Tell who the user of a request is, if the request's own code has found out.

Nothing here asks: no session is read, no user is loaded, no ``Vary`` is added, and it is the same
with the database down. What Django and other libraries have left on the request is looked at.
"""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import LazyObject, empty

# django.contrib.auth.SESSION_KEY, without its models' machinery if it is not installed.
_SESSION_KEY = "_auth_user_id"


def known_uid(request: HttpRequest) -> str | None:
    """Return the primary key of the user that was looked at; None for nobody, or if none was."""
    attributes = request.__dict__
    user = _user_in(attributes)
    if user is None:
        return _uid_in(attributes.get("session"))
    pk = getattr(user, "pk", None)
    return None if pk is None or not getattr(user, "is_authenticated", False) else str(pk)


def _user_in(attributes: dict[str, Any]) -> Any:
    """Return the user that `login()` or a library has put there, or who was evaluated, else None.

    What `AuthenticationMiddleware` puts there is lazy, and keeps its result beside it.
    """
    user = attributes.get("user")
    if isinstance(user, LazyObject):
        user = vars(user)["_wrapped"]
    if user is None or user is empty:
        user = attributes.get("_cached_user", attributes.get("_acached_user"))
    return user


def _uid_in(session: Any) -> str | None:
    """Return the user that a session names which was read; `accessed` stays as it is."""
    read = getattr(session, "__dict__", {}).get("_session_cache")
    uid = read.get(_SESSION_KEY) if isinstance(read, dict) else None
    return None if uid is None else str(uid)
