"""Keep the secrets in a URL out of the summary, by the names that the project gave them."""

from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest
from django.urls import ResolverMatch

from dockerflow_django.logging.paths import redact_path
from dockerflow_django.logging.scrubbing import REDACTED, scrub
from dockerflow_django.logging.secret_names import MAX_NAME, is_secret_key, is_secret_name
from dockerflow_django.logging.text import from_wsgi, well_formed

MAX_STATE = 8


def path_of(request: HttpRequest) -> str:
    """Return the request's path, the values of secret-looking URL parameters replaced.

    A path that nothing has resolved is looked at, too, for a middleware may have answered: it may
    redirect a password-reset link to https, or to its trailing slash.
    """
    path = request.path
    match = request.resolver_match
    if match is None:
        path = _redact(path, request)
    elif match.kwargs and (secrets := _secrets_in(match)):
        path = _redact(path, request)
        if REDACTED not in path and any(_may_be_in(path, secret) for secret in secrets):
            path = f"/{match.route}"
    return scrub(path)


def query_of(request: HttpRequest) -> str:
    """Return the request's query string unquoted, the values of secret-looking keys replaced."""
    query = request.META.get("QUERY_STRING", "")
    if "wsgi.input" in request.META:
        query = from_wsgi(query)
    return well_formed("&".join(map(_pair, query.split("&"))))


def _pair(text: str) -> str:
    key, equals, value = text.partition("=")
    key = unquote(key)
    # `user[token]` and `code[]` are names that form libraries make.
    name = key.rstrip("[]").rpartition("[")[2][-MAX_NAME:]
    if value and is_secret_key(name) and not _is_short_state(name, value):
        return f"{key}={REDACTED}"
    return scrub(f"{key}{equals}{unquote(value)}")


def _is_short_state(name: str, value: str) -> bool:
    """Tell OAuth's `state`, which nobody can guess, from that of an order or a country."""
    return name.lower() == "state" and len(value) <= MAX_STATE and value.isalpha()


def _secrets_in(match: ResolverMatch) -> list[Any]:
    """Return the values of secret-looking parameters that come from the path.

    `path()` may give a view more of them, and one of those may bear the name of a captured one.
    """
    others = match.extra_kwargs or ()  # type: ignore[attr-defined] # not in django-stubs
    return [
        value
        for name, value in match.kwargs.items()
        if is_secret_name(name) and (name not in others or _is_captured(name, match.route))
    ]


def _is_captured(name: str, route: str) -> bool:
    return f"<{name}>" in route or f":{name}>" in route


def _may_be_in(path: str, secret: Any) -> bool:
    # The text of what a converter made may be another, and may cost a query.
    return secret in path if isinstance(secret, str) else True


def _redact(path: str, request: HttpRequest) -> str:
    # `redact_path` takes what a server logs: there a question mark begins the query string.
    return redact_path(path.replace("?", "%3F"), getattr(request, "urlconf", None))
