"""Take secrets out of text that was not written to be read: exceptions, reprs, tracebacks.

A driver quotes its connection string in its error, a client the header that was refused. Too much
hidden is a nuisance, too little a leak: where it is unclear, hide.
"""

import re

REDACTED = "[redacted]"

_LOUD_NAMES = (
    r"passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|credential|signature|session_?id|authorization|cookie"
)
# Words that name a secret only where they stand alone: `key`, but not `keyword`.
_QUIET_NAMES = r"key|auth|pass|otp|jwt|sid|csrf|uid_?b64|api"

# Each loud name, and `bearer`, holds one of these.
_SIGNS = (
    "pass",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
    "signature",
    "session",
    "auth",
    "cookie",
    "bearer",
)

_SECRET_NAME = re.compile(
    rf"{_LOUD_NAMES}|(?:^|[^a-z])(?:{_QUIET_NAMES})(?:$|[^a-z])", re.IGNORECASE
)

# Every repetition is bounded or cannot overlap with what follows it: the time stays linear.
_USER_INFO = re.compile(
    r"""://(?:
        [^\s/?#]{0,512}@  # RFC 3986: user-info ends at the last @ of the authority
        # A password with a slash in it is against RFC 3986, and common; a port is not a password.
        | [^\s/?#:@\[]{0,128} : (?!\d{0,5}[/?#\s]) [^\s"'<>]{0,512} @
    )""",
    re.VERBOSE,
)
_HEADER = re.compile(
    r"\b((?:proxy-)?authorization|(?:set-)?cookie)(\s{0,4}:\s{0,4})[^\r\n\"']+",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(bearer\s{1,4})(?=\S{0,4096}\d)[^\s\"'\\]+", re.IGNORECASE)
_ASSIGNMENT = re.compile(
    rf"""(?P<name>(?:{_LOUD_NAMES})[\w-]{{0,64}}
        (?: \\*["'] \s{{0,4}} : | \s{{0,4}} = ) \s{{0,4}})  # name=value, or 'name': value
        (?: [bru]{{0,2}} (?P<quote>\\*["']) .*? (?<!\\) (?P=quote)
        | \[ [^\]\n]* \] | \( [^)\n]* \)
        | (?P<bare>[^\s&]+))""",
    re.VERBOSE | re.IGNORECASE,
)
_CLOSING = "\"'\\)]}>,;"


def scrub(text: str) -> str:
    """Return the text without URL user-info and without what follows `password=` and its like."""
    text = _USER_INFO.sub(f"://{REDACTED}@", text)
    lowered = text.lower()
    if not any(word in lowered for word in _SIGNS):
        return text  # nearly always, and much sooner than the expressions find out
    text = _HEADER.sub(rf"\1\2{REDACTED}", text)
    text = _ASSIGNMENT.sub(_hide, text)
    return _BEARER.sub(rf"\1{REDACTED}", text)


def is_secret_name(name: str) -> bool:
    """Tell whether a parameter, key or header of that name holds a secret."""
    return _SECRET_NAME.search(name) is not None


def _hide(found: re.Match[str]) -> str:
    bare = found["bare"] or ""
    # Brackets and quotes at the end most likely belong to what the value is part of.
    return found["name"] + REDACTED + bare[len(bare.rstrip(_CLOSING)) :]
