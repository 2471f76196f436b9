"""Ask whether the mail server lets us in."""

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core import mail
from django.core.checks import CheckMessage, Error, Info
from django.core.exceptions import ImproperlyConfigured
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.filebased import EmailBackend as FileBackend

from dockerflow_django import health
from dockerflow_django.checks.messages import failure

DEFAULT_ALIAS = "default"
# What says where mail goes in a project without MAILERS, which came with Django 6.1.
SETTINGS_BEFORE_MAILERS = ("EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_PORT")


def check_mail(
    app_configs: Any,
    *,
    alias: str = DEFAULT_ALIAS,
    timeout_seconds: float = 0.7,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Connect to the mail server, with TLS and login if they are configured. Nothing is sent.

    A backend that has nothing to open, such as the console's, passes.

    :param alias: an alias in ``MAILERS``, from Django 6.1 on; without that setting, ``"default"``.
    :param timeout_seconds: the longest wait to connect and for each answer; a shorter timeout of
        the project's own holds.
    """
    try:
        connection = _connection(alias)
    except (ImportError, ImproperlyConfigured, TypeError, ValueError) as error:
        sentence = f'The mail connection "{alias}" is misconfigured: see MAILERS or EMAIL_BACKEND.'
        return [failure(Error, sentence, health.ERROR_MISCONFIGURED_CHECK, error)]
    if connection is None:
        sentence = "No mail server is configured: set MAILERS, or EMAIL_HOST before Django 6.1."
        return [failure(Info, sentence, health.INFO_NOT_CONFIGURED)]
    try:
        _open_and_close(connection, timeout_seconds)
    except (OSError, ValueError) as error:
        sentence = f'The mail connection "{alias}" cannot be opened.'
        return [failure(Error, sentence, health.ERROR_MAIL_FAILED, error)]
    return []


def _connection(alias: str) -> BaseEmailBackend | None:
    """Make the connection on which the project would send, without a deprecation warning."""
    has_mailers = hasattr(settings, "MAILERS")
    if has_mailers and hasattr(mail, "mailers"):  # pragma: newer Django
        return mail.mailers[alias]
    if alias != DEFAULT_ALIAS:
        msg = f"There is no {alias!r} without MAILERS"
        raise ImproperlyConfigured(msg)
    if not any(map(settings.is_overridden, SETTINGS_BEFORE_MAILERS)):  # type: ignore[misc]
        return None
    # On 6.1 `get_connection` is deprecated, and this asks it in Django's own name.
    return mail.mailers.default if hasattr(mail, "mailers") else mail.get_connection()


def _open_and_close(connection: BaseEmailBackend, timeout_seconds: float) -> None:
    if isinstance(connection, FileBackend):
        # Making it has looked at the folder; opening it would leave a file there.
        return
    if hasattr(connection, "timeout"):
        connection.timeout = min(connection.timeout or timeout_seconds, timeout_seconds)
    try:
        connection.open()
    except Exception:
        # Half open: connected, but not let in. The first error is the one to tell.
        with suppress(OSError):
            connection.close()
        raise
    connection.close()
