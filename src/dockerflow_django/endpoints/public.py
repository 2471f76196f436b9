"""The views of the app: open to anybody, outside of any transaction, and recognised as our own."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.views.decorators.csrf import csrf_exempt

_MARK = "_dockerflow_endpoint"


def public(view: Any, name: str) -> Any:
    """Let the view be asked by anybody, under this name, outside of a transaction."""
    view.__name__ = view.__qualname__ = name
    view._non_atomic_requests = _EveryAlias()  # noqa: SLF001 - Django's decorator notes it there
    return login_not_required(csrf_exempt(view))


def as_endpoint(view: Any, name: str) -> Any:
    """Make the view public, and let `endpoint_name` know it."""
    view = public(view, name)
    setattr(view, _MARK, (view, name))
    return view


def endpoint_name(callback: Any) -> str | None:
    """Return the name of the endpoint if the callback is one of our views itself.

    A decorator that copies the view's attributes makes another view: what protects it must not be
    passed by.
    """
    view, name = getattr(callback, _MARK, (None, None))
    return name if view is callback else None


class _EveryAlias(set[str]):
    """What `transaction.non_atomic_requests` notes for one alias, here for each there will be.

    Django refuses to call an async view as soon as one database has ``ATOMIC_REQUESTS``.
    """

    def __contains__(self, alias: object) -> bool:
        return True
