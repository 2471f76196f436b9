"""Take secrets out of text: messages, exceptions, tracebacks, paths, reprs.

A driver quotes its connection string in its error, a client the header that was refused. Too much
hidden is a nuisance, too little a leak: if it is unclear, hide. `docs/reference/log-line.rst` has
the table of the forms that are known, and a test goes through it.

The time is linear in the length of the text, whatever it is: an expression is possessive or
bounded, or what it has read is replaced and not read again.
"""

import base64
import binascii
import re

from dockerflow_django.logging.expression import expression
from dockerflow_django.logging.ordinary import (
    begins_as_prose,
    is_complaint,
    is_field_name,
    is_nothing,
    is_number,
)
from dockerflow_django.logging.secret_commands import hide_in_commands
from dockerflow_django.logging.secret_names import MAX_NAME, holds_secret, is_secret_key
from dockerflow_django.logging.secret_pairs import hide_pairs
from dockerflow_django.logging.secret_tokens import (
    hide_private_keys,
    hide_tokens_of_vendors,
    hide_web_tokens,
    may_hold_tokens,
)
from dockerflow_django.logging.secret_values import QUOTE, Values, times_encoded

REDACTED = "[redacted]"

# Each text with a secret has one of the marks (or a scheme), and one of the signs.
_SIGNS = (
    "pass",
    "pw",
    "secret",
    "token",
    "key",
    "code",
    "cred",
    "sig",
    "sess",
    "sid",
    "auth",
    "cookie",
    "srf",
    "otp",
    "jwt",
    "pin",
    "cv",
    "psk",
    "hmac",
    "hook",
    "uid",
    "bearer",
    "basic",
    "eyj",
    "//",
    "\\/",
    "2f",
    "identif",
)
# What else a parameter of a URL has that is a secret.
_SIGNS_IN_QUERIES = (
    "api",
    "assertion",
    "invitation",
    "magic",
    "nonce",
    "pgt",
    "policy",
    "request",
    "saml",
    "sesame",
    "state",
    "ticket",
)
# Programs that are told a password by an option of one letter.
_PROGRAMS = ("curl", "mysql", "mariadb", "redis-cli")

_USER_INFO = expression(
    r"""(?P<slashes>:(?:\\{0,7}/){2}) (?:
        [^\s/?#\\]* @  # RFC 3986: user-info ends at the authority's last @
        # A password with a slash in it is against RFC 3986, and common; a port is not a password.
        | [^\s/?#:@\[\\]{0,128} : (?!\d{0,5}[/\s]|\d{1,5}[?#]) (?:[^\s"'<>:]|:(?!//)){0,512} @
    )""",
    re.VERBOSE,
)
# Without a scheme a name has to be there, and what follows the colon is no port.
_USER_INFO_ALONE = expression(
    r"""(?<![\w:/\\%-]) (?P<slashes>(?:\\{0,7}/){2}) [^\s/?#:@\[\\"'<>]{1,128}+ :
    (?!\d{0,5}[/?#\s]) [^\s/"'<>]{1,512} @""",
    re.VERBOSE,
)
# `urllib.parse.quote` leaves slashes as they are, or whatever else its caller names.
_ENCODED_USER_INFO = expression(
    r"""(?P<slashes>(?::|%(?:25){0,4}3A) (?:/|%(?:25){0,4}2F){2})
    (?:(?!%(?:25){0,4}2F)[^\s/?#&"'])* (?P<at>%(?:25){0,4}40)""",
    re.VERBOSE | re.IGNORECASE,
)
_SCHEME = expression(
    r"""(?P<scheme>bearer|basic)(?P<space>[ \t]{1,4}+|\+|%(?:25){0,4}20)
    (?P<value>[^\s"'\\,;(){}\[\]<>=&]{3,}+=*+)""",
    re.IGNORECASE | re.VERBOSE,
)
# A value on the line below its name: one word, and not the next field. In the `repr` of a text the
# end of a line is written as an escape.
_BELOW = rf"""
    (?: \r?\n [ \t]{{0,64}}+ (?={QUOTE} | \S{{1,512}}+ [ \t]{{0,4}}+ (?:[\r\n]|\Z))
      | (?:\\{{1,63}}+r)?+ \\{{1,63}}+n [ \t]{{0,64}}+
        (?={QUOTE} | [^\s\\"']{{1,512}}+ [ \t]{{0,4}}+ (?:\\|["']|\Z))
    ) (?=\S) (?!-{{0,2}}+[\w.-]{{1,128}}+(?::|=(?!=*+(?:\s|\Z))))"""
_FIELD = expression(
    rf"""(?<![\w.-]) (?:(?<=\\)[nrt](?=\w))?+ (?P<name>-{{0,2}}+[A-Za-z0-9_][\w.-]*+)
    (?: (?P<close>{QUOTE}|`)?
        (?:(?:[\[\]]|%(?:25){{0,4}}5[BD])\d{{0,4}}+){{0,4}}+ [ \t]{{0,64}}+
        (?P<sign>=>|:=|==?|!=|<>|:(?!:|//)|%(?:25){{0,4}}3[AD]) [ \t]{{0,64}}+
        (?P<below>{_BELOW})?+
      | {QUOTE} [ \t]{{0,4}}+ , (?P<pair>\s{{0,4}}+) (?=[bBrRuU]{{0,2}}{QUOTE})
      | (?P<option>[ \t]{{1,64}}+) (?=[^\s-])
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_ELEMENT = expression(
    r"(<(?:[\w.-]{1,64}+:)?+(?P<name>[\w.-]{1,128}+)(?:\s[^<>]*+)?+>(?:<!\[CDATA\[)?+)(?P<value>[^<]++)"
)
_HEADER = expression(
    r"-{0,2}(?:[\w.-]*[._-])?(?:authorization|cookies?)|(?:http_)?set_cookie", re.IGNORECASE
)
_SPACED = expression(r"[A-Za-z]{1,16} $")
_LAST_WORDS = frozenset(("key", "id", "code", "phrase", "word"))
_ESCAPE = expression(r"(?:25){0,4}([0-9A-Fa-f]{2})")
_IN_QUERY = ("?", "&", "3f", "26")

MIN_TOKEN = 16


def scrub(text: str) -> str:
    """Return the text without the secrets that are known by their form or their name."""
    if not may_hold_secrets(text):
        return text
    if may_hold_tokens(text):
        text = hide_tokens_of_vendors(text, REDACTED)
    if "@" in text:
        for user_info in (_USER_INFO(), _USER_INFO_ALONE()):
            text = user_info.sub(lambda found: f"{found['slashes']}{REDACTED}@", text)
    if "%" in text:
        text = _ENCODED_USER_INFO().sub(
            lambda found: f"{found['slashes']}{REDACTED}{found['at']}", text
        )
    if "-----BEGIN" in text:
        text = hide_private_keys(text, REDACTED)
    if "</" in text:
        text = _ELEMENT().sub(_hide_element, text)
    text = _hide_fields(hide_pairs(hide_in_commands(text, REDACTED), REDACTED))
    text = hide_web_tokens(text, REDACTED)
    return _SCHEME().sub(_hide_credentials, text)


def may_hold_secrets(text: str) -> bool:
    """Tell whether the text is worth a closer look: nearly always it is not, and that is quick."""
    if not (
        "=" in text
        or ":" in text
        or "'" in text
        or '"' in text
        or "%" in text
        or "--" in text
        or " -" in text
        or ">" in text
        or "eyJ" in text
        or "earer" in text
        or "asic " in text
    ):
        return may_hold_tokens(text)
    lowered = text.lower()
    has_query = "=" in text and ("?" in text or "&" in text)
    if has_query or ("%" in text and ("3f" in lowered or "26" in lowered)):
        for sign in _SIGNS_IN_QUERIES:
            if sign in lowered:
                return True
    for sign in _SIGNS:  # any() takes twice as long
        if sign in lowered:
            return True
    if " -" in text or "'-" in text:
        for program in _PROGRAMS:
            if program in lowered:
                return True
    return may_hold_tokens(text)


def _hide_fields(text: str) -> str:
    """Replace what follows a secret's name."""
    parts: list[str] = []
    values, done, position = Values(text), 0, 0
    while field := _FIELD().search(text, position):
        start = position = field.end()
        if not _begins_secret(field):
            continue
        end = _end_of_value(field, values)
        if end > start and not _stays(field, text[start:end]):
            parts += text[done:start], REDACTED
            done = position = end
    return "".join((*parts, text[done:])) if parts else text


def _begins_secret(field: re.Match[str]) -> bool:
    if not _names_secret(field) or (field["below"] is not None and field["sign"] != ":"):
        return False
    is_bare = field["close"] is None and field["sign"] in (":", None)
    return not (is_bare and begins_as_prose(field.string, field.end()))


def _names_secret(field: re.Match[str]) -> bool:
    text, start, name = field.string, field.start("name"), field["name"]
    before = text[max(0, start - 1) : start]
    if field["option"] is not None:
        return name.startswith("-") and not name.startswith("--no-") and holds_secret(name)
    if field["sign"] == ":" and (before == "@" or text[max(0, start - 2) : start] == "//"):
        return False  # a host and its port
    if before == "%" and (escape := _ESCAPE().match(name)):
        before, name = escape[1].lower(), name[escape.end() :]
    if name.lower() in _LAST_WORDS and (word := _SPACED().search(text[max(0, start - 17) : start])):
        name = word[0] + name
    name = name[-MAX_NAME:]
    return is_secret_key(name) if before in _IN_QUERY else holds_secret(name)


def _end_of_value(field: re.Match[str], values: Values) -> int:
    is_item, end = field["close"] is not None, field.end()
    before = field.string[max(0, field.start("name") - 1) : field.start("name")]
    is_header = before not in _IN_QUERY and _HEADER().fullmatch(field["name"]) is not None
    if not is_header or is_item or field["option"] is not None:
        return values.end(end, is_item=is_item, encoded=times_encoded(field["sign"] or ""))
    header_in = values.open_before(field.start())
    position, end = end, values.end(end, header_in=header_in)
    # It ends with its line, or at a quote: that may begin the value of a secret named in it.
    while (inner := _FIELD().search(field.string, position)) and inner.start() < end:
        position = inner.end()
        if _begins_secret(inner):
            position = values.end(position)
            if position > end:
                end = values.end_of_line(position, header_in)
    return end


def _stays(field: re.Match[str], value: str) -> bool:
    """Tell whether what follows a secret's name is none."""
    if field["pair"] is not None:
        end = field.end() + len(value)
        # In a dict, the name is a value and what follows it the next key.
        is_key = len(value) <= MAX_NAME and field.string[end : end + 1] == ":"
        return is_key or is_field_name(value)
    if is_complaint(value):
        return True
    is_count = field["name"].lower().endswith("tokens") and is_number(value)
    return is_count or is_nothing(value, is_assigned=field["sign"] == "=")


def _hide_element(element: re.Match[str]) -> str:
    return element[1] + (REDACTED if holds_secret(element["name"]) else element["value"])


def _hide_credentials(found: re.Match[str]) -> str:
    return f"{found['scheme']}{found['space']}{REDACTED}" if _is_credential(found) else found[0]


def _is_credential(found: re.Match[str]) -> bool:
    value = found["value"]
    if found["scheme"].lower() == "basic":
        return b":" in _decoded(value)
    return len(value) >= MIN_TOKEN or any(map(str.isdigit, value))


def _decoded(value: str) -> bytes:
    try:
        return base64.b64decode(value[:MAX_NAME] + "==")
    except (binascii.Error, ValueError):
        return b""
