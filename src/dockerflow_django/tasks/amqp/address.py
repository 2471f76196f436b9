"""Where the broker is: an URL, or its parts; and how people may see it."""

from typing import Any
from urllib.parse import quote

from dockerflow_django.conf import Setting, casts, conf
from dockerflow_django.tasks.amqp.options import WrongOptionsError

DEFAULT_PORT = 5672
CONNECT_SECONDS = 5.0
# The broker sends something this often while all is well, and hangs up after twice that silence.
HEARTBEAT_SECONDS = 10.0


class _Settings:
    """The settings of other libraries, which django-hurricane names so too; none has a prefix."""

    AMQP_URL = Setting(None, casts.optional(casts.text), secret=True)
    AMQP_HOST = Setting(None, casts.optional(casts.text))
    AMQP_PORT = Setting(DEFAULT_PORT, casts.integer(1, 65535))
    AMQP_VHOST = Setting("/", casts.text)
    AMQP_USER = Setting("guest", casts.text)
    AMQP_PASSWORD = Setting("guest", casts.text, secret=True)


def broker_url(given: str | None = None) -> str:
    """Return the URL: the one given, ``AMQP_URL``, or one made of ``AMQP_HOST`` and the others.

    Raises `WrongOptionsError` if there is none, or a setting has a wrong value.
    """
    if url := given or _value("AMQP_URL"):
        return str(url)
    host = _value("AMQP_HOST")
    if not host:
        raise WrongOptionsError("no broker is named: give --url, or set AMQP_URL or AMQP_HOST")
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    user, password = (quote(_value(f"AMQP_{name}"), safe="") for name in ("USER", "PASSWORD"))
    vhost = quote(_value("AMQP_VHOST"), safe="")
    return f"amqp://{user}:{password}@{host}:{_value('AMQP_PORT')}/{vhost}"


def make_connection(url: str) -> Any:
    """Return Kombu's connection for the URL, not connected yet.

    Raises `WrongOptionsError`, whose text holds nothing of the URL, if it cannot be used.
    """
    from kombu.connection import Connection

    try:
        connection = Connection(
            url, heartbeat=HEARTBEAT_SECONDS, connect_timeout=CONNECT_SECONDS, **_tls(url)
        )
        driver = connection.get_transport_cls().driver_type
        # Kombu takes a text that is no URL for the name of a host.
        is_usable = driver == "amqp" and bool(connection.hostname) and "://" in url
    except Exception:  # noqa: BLE001 - whatever it says may hold the password
        is_usable = False
    if not is_usable or _has_loose_user_info(url):
        raise WrongOptionsError(
            "the broker's URL is not one that Kombu can use; it looks like "
            "amqp://USER:PASSWORD@HOST:5672/VHOST, with / and @ in a password percent-encoded"
        )
    return connection


def _tls(url: str) -> dict[str, Any]:
    """Return what makes py-amqp compare the certificate with the name of the host."""
    return {"ssl": {"server_hostname": None}} if url.startswith("amqps://") else {}


def shown(connection: Any) -> str:
    """Return where a connection leads, without user and password."""
    port, vhost = connection.port or DEFAULT_PORT, connection.virtual_host or "/"
    return f"{connection.hostname}:{port}, virtual host {vhost}"


def _has_loose_user_info(url: str) -> bool:
    """Tell whether a ``/`` in the password ends the host early: the rest would be shown."""
    return any("@" in part.partition("://")[2].partition("/")[2] for part in url.split(";"))


def _value(name: str) -> Any:
    found = getattr(_Settings, name).look_up(conf.environment)
    if found.wanted:
        raise WrongOptionsError(f"{found.name} is {found.shown}, but must be {found.wanted}")
    return found.value
