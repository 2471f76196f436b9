"""Checks that tell what the settings say in ``LEAKS``, in their message, hint and exception."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error


def telling(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Quote a URL and a password; and say, without its name, what is to be found."""
    leaks = settings.LEAKS
    message = f"{leaks['control']} refused redis://shop:{leaks['message_token']}@cache"
    hint = f"Correct password={leaks['hint_token']}, or token: {leaks['hint_token']}."
    return [Error(message, hint=hint, id="leaks.E001")]


def raising(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Raise with a connection string and a cause."""
    raised = settings.LEAKS["raised_token"]
    cause = ValueError(f"api_key={raised}")
    raise OSError(f"no route to amqp://shop:{raised}@mq//") from cause


async def waiting(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Raise in the event loop, and take a secret as a keyword."""
    raise OSError(f"refused: Bearer {kwargs['token']}")
