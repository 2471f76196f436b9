"""What every view of the app is: open to anybody, and outside of any transaction."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.views.decorators.csrf import csrf_exempt


def public(view: Any, name: str) -> Any:
    """Let the view be asked by anybody, under this name, outside of a transaction."""
    view.__name__ = view.__qualname__ = name
    view._non_atomic_requests = _EveryAlias()  # noqa: SLF001 - where Django's decorator notes it
    return login_not_required(csrf_exempt(view))


class _EveryAlias(set[str]):
    """What `transaction.non_atomic_requests` notes for one alias, here for each there will be.

    Django refuses to call an async view as soon as one database has ``ATOMIC_REQUESTS``.
    """

    def __contains__(self, alias: object) -> bool:
        return True
