"""The names under which secrets are kept: of fields, headers, options, parameters and settings.

An underscore in a word stands for an underscore, a hyphen, a space or nothing, and CamelCase is
read as if it had underscores.
"""

from functools import lru_cache

from dockerflow_django.logging.expression import expression

ANYWHERE = (
    "pass_word",
    "passwd",
    "pass_phrase",
    "pass_code",
    "pass_key",
    "pwd",
    "secret",
    "token",
    "credential",
    "signature",
    "session_id",
    "session_key",
    "sess_id",
    "auth_code",
    "recovery_code",
    "security_code",
    "verification_code",
    "authorization",
    "cookie",
    "webhook_url",
)
"""Each of these makes a name a secret's wherever it stands in it: `DB_PASSWORD`, `accessToken`."""

ALONE = (
    "pass",
    "db_pass",
    "user_pass",
    "pw",
    "pin",
    "otp",
    "totp",
    "jwt",
    "sig",
    "sid",
    "csrf",
    "xsrf",
    "cvv",
    "cvc",
    "psk",
    "hmac",
    "creds",
    "uid_b64",
)
"""These do if no other letter touches them: `pin` and `user_pin`, but not `mapping`."""

KEYS = (
    "access",
    "account",
    "activation",
    "aes",
    "api",
    "app",
    "application",
    "auth",
    "client",
    "consumer",
    "crypto",
    "deploy",
    "encryption",
    "fernet",
    "function",
    "functions",
    "integration",
    "licence",
    "license",
    "master",
    "private",
    "root",
    "rsa",
    "secret",
    "service",
    "shared",
    "shared_access",
    "signing",
    "ssh",
    "storage",
    "subscription",
    "vault",
    "webhook",
)
"""Kinds of keys that are secret: `api_key`, `AccountKey`; `primary_key` and `sort_key` are not."""

IN_URLS = ("key", "auth", "api", "session", "sesame", "invitation", "magic")
"""If they stand alone, these are secrets in URLs only: elsewhere a key may be a cache's."""

IN_QUERIES = (
    "assertion",
    "code",
    "code_challenge",
    "code_verifier",
    "device_code",
    "id_token_hint",
    "nonce",
    "oob_code",
    "pgt_id",
    "pgt_iou",
    "policy",
    "relay_state",
    "request_uri",
    "saml_art",
    "saml_request",
    "saml_response",
    "state",
    "ticket",
    "user_code",
    "oauth_nonce",
    "oauth_verifier",
    "client_assertion",
)
"""Whole names of OAuth's, PKCE's, SAML's, CAS's and CloudFront's parameters."""

ABOUT = (
    "age|alg|algorithm|at|backend|budget|class|consent|count|created|dir|domain|enabled"
    "|endpoint|engine|expires|expiry|expires_at|expires_in|expires_on|fields?|file|format|header|hint|httponly|len|length|limit"
    "|max|method|min|mode|name|path|policy|prefix|prompt|required|samesite|scheme|secure|seconds"
    "|size|status|stdin|strength|timeout|ttl|type|uri|url|usage|validators?|version"
)
"""The last part of a name that tells about a secret and is none: `token_type`."""

TALK = "error|exception|warning|failed|failure|expired|invalid|missing|denied|does_?not_?exist"
"""How a name ends that is an exception's class."""

MAX_NAME = 128
"""Of a longer name only the end counts."""


def _words(*words: str) -> str:
    return "|".join(word.replace("_", "[_ -]?") for word in words)


_KEY = rf"(?:{_words(*KEYS)})[_ -]?key"
# The path of a webhook is often its password.
_TOLD = expression(rf"(?<!webhook)[_ -](?:{ABOUT})$|(?:{TALK})s?$")
_ANYWHERE = expression(
    rf"(?:{_words(*ANYWHERE)}|{_KEY})"
    # A tokenizer, a secretary, what is passwordless.
    r"(?<!token(?=i[sz]))(?<!secret(?=[ai]))(?<!password(?=less))"
)
_ALONE = expression(
    rf"(?:^|[^a-z])(?:{_words(*ALONE)})(?:$|[^a-z])|(?:^|[^a-z])auth$|(?:^|[^a-z])uid_?b64"
)
_IN_URLS = expression(rf"(?:^|[^a-z])(?:{_words(*IN_URLS)})(?:$|[^a-z])")
_IN_QUERIES = expression(_words(*IN_QUERIES))
_CAMEL = expression(r"(?<=[a-z0-9])(?=[A-Z])")


def holds_secret(name: str) -> bool:
    """Tell whether a field, header, option or key of that name holds a secret, in any text."""
    # Cut before it is the key of a cache: anybody may send one of any length.
    return _holds_secret(name[-MAX_NAME:])


@lru_cache(maxsize=4096)
def _holds_secret(name: str) -> bool:
    lowered, words = _forms(name)
    if _TOLD().search(words):
        return False
    return bool(_ANYWHERE().search(lowered) or _ANYWHERE().search(words) or _ALONE().search(words))


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Tell whether a URL parameter of that name holds a secret."""
    return holds_secret(name) or _IN_URLS().search(_forms(name)[1]) is not None


@lru_cache(maxsize=4096)
def is_secret_key(name: str) -> bool:
    """Tell whether a key of that name holds a secret in a query string."""
    return is_secret_name(name) or any(map(_IN_QUERIES().fullmatch, _forms(name)))


def _forms(name: str) -> tuple[str, str]:
    """Return the name's last part in lower case, as it is and with underscores for CamelCase."""
    last = name[-MAX_NAME:].strip(".-").rpartition(".")[2]
    return last.lower(), _CAMEL().sub("_", last).lower()
