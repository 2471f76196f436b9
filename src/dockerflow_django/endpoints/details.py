"""Who may see a heartbeat's details.

``DOCKERFLOW_HEARTBEAT_DETAILS`` decides. A client that sends ``DOCKERFLOW_HEARTBEAT_TOKEN`` sees
them in any case.
"""

import logging
from collections.abc import Callable
from typing import Any

from asgiref.sync import async_to_sync, iscoroutinefunction, sync_to_async
from django.conf import settings
from django.core.signals import setting_changed
from django.http import HttpRequest
from django.utils.module_loading import import_string

from dockerflow_django._state import keeps
from dockerflow_django.client.bearer_token import bears_token
from dockerflow_django.conf import conf
from dockerflow_django.conf.casts import DETAILS_WORDS
from dockerflow_django.logging.delivery import log

logger = logging.getLogger("dockerflow_django")


def are_allowed(request: HttpRequest) -> bool:
    """Tell whether this request's answer may hold details; a callable that raises means no."""
    if are_allowed_without_request(request.META.get("HTTP_AUTHORIZATION")):
        return True
    wanted = conf.DOCKERFLOW_HEARTBEAT_DETAILS
    if wanted in DETAILS_WORDS:  # it needs no request
        return False
    try:
        return _call(wanted, request) is True
    except Exception as error:  # noqa: BLE001 - it is logged
        # A callable that looks at ``request.user`` raises at every poll that is answered early.
        if type(error) not in _logged:
            _logged.add(type(error))
            text = "DOCKERFLOW_HEARTBEAT_DETAILS raised, so nobody sees details"
            log(logger, logging.ERROR, text, exc_info=True)
        return False


async def aare_allowed(request: HttpRequest) -> bool:
    """Do the same from an event loop: what the project wrote may block."""
    if are_allowed_without_request(request.META.get("HTTP_AUTHORIZATION")):
        return True
    if conf.DOCKERFLOW_HEARTBEAT_DETAILS in DETAILS_WORDS:
        return False
    return await sync_to_async(are_allowed)(request)


def are_allowed_without_request(authorization: str | None) -> bool:
    """Tell whether the answer to a client that sends this ``Authorization`` may hold details.

    For listeners that have no request of Django's, like the probe port: a callable in
    ``DOCKERFLOW_HEARTBEAT_DETAILS`` has nothing to judge there, so it means no.
    """
    if bears_token(authorization, conf.DOCKERFLOW_HEARTBEAT_TOKEN):
        return True
    wanted = conf.DOCKERFLOW_HEARTBEAT_DETAILS
    return wanted == "always" or (wanted == "debug" and bool(settings.DEBUG))


def _call(wanted: Callable[[HttpRequest], Any] | str, request: HttpRequest) -> Any:
    allowed = import_string(wanted) if isinstance(wanted, str) else wanted
    if iscoroutinefunction(allowed):
        return async_to_sync(allowed)(request)
    return allowed(request)


_logged: set[type[Exception]] = set()
keeps("_logged")(_logged.clear)


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting == "DOCKERFLOW_HEARTBEAT_DETAILS":
        _logged.clear()


setting_changed.connect(_forget, dispatch_uid="dockerflow_django.endpoints.details")
