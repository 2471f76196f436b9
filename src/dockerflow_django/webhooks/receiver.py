"""Who is sent the webhooks, and with which secret they are signed, as the settings say."""

import logging
from functools import cache
from typing import NamedTuple

from dockerflow_django._state import keeps
from dockerflow_django.conf import conf

logger = logging.getLogger("dockerflow_django.webhooks")


class Receiver(NamedTuple):
    """A URL, and the secret that signs what is sent there; None if nothing is signed."""

    url: str
    secret: str | None


def configured_receiver() -> Receiver | None:
    """Return None if there is no URL, or a secret that cannot be used: nothing goes unsigned then.

    `serve` and the hooks for Gunicorn do not start on such a secret, unless the project silences
    the system check; other servers start.
    """
    url, secret = conf.DOCKERFLOW_WEBHOOK_URL, conf.DOCKERFLOW_WEBHOOK_SECRET
    if not url:
        return None
    if wanted := conf.problem("DOCKERFLOW_WEBHOOK_SECRET"):
        _log_unusable_secret(wanted)
        return None
    return Receiver(url, secret)


@cache
def _log_unusable_secret(wanted: str) -> None:
    """Say so once in a process: each change of a probe asks."""
    logger.error(
        "No webhook is sent, because it would not be signed: DOCKERFLOW_WEBHOOK_SECRET must be %s. "
        "`manage.py check` tells where it comes from.",
        wanted,
    )


keeps("_log_unusable_secret")(_log_unusable_secret.cache_clear)
