"""Check that every database answers."""

from collections.abc import Iterable
from typing import Any

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections
from django.utils.connection import ConnectionDoesNotExist

from dockerflow_django import health
from dockerflow_django.checks.connection import answers, connection_to
from dockerflow_django.checks.messages import failure


def check_database_connected(
    app_configs: object, *, aliases: Iterable[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Connect to each database and ask it for an answer.

    :param aliases: aliases in ``DATABASES``; all of them if not given.
    """
    found = [_check_alias(alias) for alias in (connections if aliases is None else aliases)]
    return [message for message in found if message is not None]


def _check_alias(alias: str) -> checks.CheckMessage | None:
    try:
        with connection_to(alias) as connection:
            if connection.vendor == "unknown":
                sentence = f"Database '{alias}' has no ENGINE: nothing to connect to."
                return checks.Info(sentence, id=health.INFO_NOT_CONFIGURED)
            usable = answers(connection)
    except (Error, OSError) as error:
        sentence = f"Could not connect to database '{alias}'."
        return failure(checks.Error, sentence, health.ERROR_CANNOT_CONNECT_DATABASE, error)
    except (ImproperlyConfigured, ConnectionDoesNotExist) as error:
        sentence = f"Database '{alias}' is misconfigured."
        return failure(checks.Error, sentence, health.ERROR_MISCONFIGURED_DATABASE, error)
    sentence = f"The connection to database '{alias}' is not usable."
    return None if usable else checks.Error(sentence, id=health.ERROR_UNUSABLE_DATABASE)
