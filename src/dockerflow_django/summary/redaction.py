"""Keep the secrets in a URL out of the summary, by the names that the project gave them."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.http import HttpRequest

from dockerflow_django.logging.paths import redact_path
from dockerflow_django.logging.scrubbing import REDACTED, scrub
from dockerflow_django.logging.secret_names import is_secret_name

# OAuth's authorization code; in a path a code is a country's as often as an invitation's.
_SECRET_IN_QUERIES = frozenset({"code"})
# Names in URL patterns are few, those in query strings as many as clients like.
_is_secret_parameter = cache(is_secret_name)


def path_of(request: HttpRequest) -> str:
    """Return the request's path, the values of secret-looking URL parameters replaced.

    What nothing has resolved, for a middleware answered or nothing matched, is looked at too: the
    redirect of a password-reset link to https, or to its trailing slash, is among it.
    """
    path = request.path
    match = request.resolver_match
    if match is None:
        path = _redact(path)
    elif match.kwargs and (secrets := _secrets_in(match.kwargs)):
        path = _redact(path)
        if REDACTED not in path and any(_may_be_in(path, secret) for secret in secrets):
            path = f"/{match.route}"
    # Cheaper than to look for what most paths cannot hold.
    return scrub(path) if "=" in path or "@" in path else path


def query_of(request: HttpRequest) -> str:
    """Return the request's query string, the values of secret-looking keys replaced."""
    query = request.META.get("QUERY_STRING", "")
    pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
    return urlencode(
        [(key, _value(key, value)) for key, value in pairs], safe="[]/:,", errors="replace"
    )


def _secrets_in(parameters: Mapping[str, Any]) -> list[Any]:
    return [value for name, value in parameters.items() if _is_secret_parameter(name)]


def _may_be_in(path: str, secret: Any) -> bool:
    # The text of what a converter made may be another, and may cost a query.
    return secret in path if isinstance(secret, str) else True


def _redact(path: str) -> str:
    # `redact_path` takes what a server logs: there a question mark begins the query string.
    return redact_path(path.replace("?", "%3F"))


def _value(key: str, value: str) -> str:
    if key.lower() in _SECRET_IN_QUERIES or is_secret_name(key):
        return REDACTED
    return scrub(value)
