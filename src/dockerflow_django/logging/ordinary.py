"""What may follow the name of a secret and is none, so that it stays in the text."""

import re

from dockerflow_django.logging.expression import expression
from dockerflow_django.logging.secret_names import holds_secret

NOTHING_TEXT = """
none null nil true false undefined yes no on off ok enabled disabled
"""
NOTHING = frozenset(NOTHING_TEXT.split())

PROSE_TEXT = """
a an and any are at be can cannot could denied disabled does empty enabled entered error expected
expired failed for from granted has hidden in incorrect invalid is it malformed mismatch missing
must no not of ok on optional or out passed rejected required revoked rotated should the this to
too unexpected unknown unset value was will wrong you your str string bytes int bool
return raise continue break pass
"""
PROSE = frozenset(PROSE_TEXT.split())
"""Words that follow a name and a colon in a sentence or an annotation: `token: expired`."""

FIELD_NAMES_TEXT = """
date_joined email first_name group groups id is_active is_staff last_login last_name login mail
name next phone pk remember role user user_name username
"""
FIELD_NAMES = frozenset(FIELD_NAMES_TEXT.split())
"""What stands beside a secret's name in a list of names: `['password', 'email']`."""

MIN_SYMBOLS = 4

_AROUND = "\"'`\\ ,;"
_MASKS = frozenset("*.-_[]<>()")
# What Django and REST framework say of a form's field.
_COMPLAINTS = expression(
    r"""\[ (?: (?:ErrorDetail\(string=)?
        ["'] (?:This|The|Enter|Ensure|Your)\ [^"'\n\\]{2,200} \.["']
        (?:,\ code=["']\w{1,64}["']\))? (?:,\ )? ){1,8} \]""",
    re.VERBOSE,
)
_WORD = expression(r"[A-Za-z]{1,16}+(?=$|[\s\[]|[.,;:!?)](?!\w))")
_NUMBER = expression(r"[\d.,_]+")


def begins_as_prose(text: str, start: int) -> bool:
    """Tell whether a sentence goes on there."""
    word = _WORD().match(text, start)
    return word is not None and word[0].lower() in PROSE


def is_nothing(value: str, *, is_assigned: bool) -> bool:
    """Tell whether a value says that there is none, or is punctuation.

    Symbols alone may be a password, but only if they are assigned, and are no mask: `****`.
    """
    bare = value.strip(_AROUND)
    if any(map(str.isalnum, bare)):
        return bare.lower() in NOTHING
    return not is_assigned or len(bare) < MIN_SYMBOLS or _MASKS.issuperset(bare)


def is_complaint(value: str) -> bool:
    """Tell whether a value is a list of sentences that tell what is wrong with a form's field."""
    return _COMPLAINTS().fullmatch(value) is not None


def is_number(value: str) -> bool:
    """Tell whether a value is a number, as a count of tokens is."""
    return _NUMBER().fullmatch(value) is not None


def is_field_name(value: str) -> bool:
    """Tell whether a value is a common name of a field, or itself the name of a secret."""
    bare = value.strip(_AROUND)
    return bare.lower() in FIELD_NAMES or (bare.isidentifier() and holds_secret(bare))
