"""Take secrets out of text before it is logged."""

import re

_URL_USER_INFO = re.compile(r"(?<=://)[^/\s@]+@")
_KEYED_SECRET = re.compile(r"(?i)\b(password|token)=[^\s&,;]+")


def scrub(text: str) -> str:
    """Replace URL user-info and the values of ``password=`` and ``token=``."""
    return _KEYED_SECRET.sub(r"\1=***", _URL_USER_INFO.sub("***@", text))
