"""Names of python-dockerflow in a text, and what takes their place here.

Ids of messages (``dockerflow.health.E001``) are the same in both packages, so alerts and
``SILENCED_SYSTEM_CHECKS`` stay as they are.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple


class OldName(NamedTuple):
    """One name as it was found, what to write instead, and where the text has it."""

    found: str
    instead: str
    start: int


# A project may have a package called dockerflow, too: these are the modules of python-dockerflow.
_PATH = r"(?<![\w./-])dockerflow\.(?:{})\b(?!-)(?:\.\w+)*"
_ID = r"\.[A-Z]\d{3}\b"
_RENAMED = (
    (re.compile(_PATH.format("django")), "dockerflow.django", "dockerflow_django"),
    (
        re.compile(_PATH.format(rf"checks|logging|version|health(?!{_ID})")),
        "dockerflow.",
        "dockerflow_django.",
    ),
    (
        re.compile(r"^\s*(?:from dockerflow import .+|import dockerflow(?![\w.]))", re.MULTILINE),
        "dockerflow",
        "dockerflow_django",
    ),
    # What searching and replacing has done to ids.
    (re.compile(rf"dockerflow_django\.health{_ID}"), "dockerflow_django", "dockerflow"),
)

# Parts of the middleware's class that nothing calls here, and what takes their place.
NEVER_CALLED = {
    "_build_extra_meta": "DOCKERFLOW_SUMMARY_EXTRA, the path of fields(request, response) -> dict",
    "process_request": "__call__, or a middleware of your own",
    "process_response": "__call__, or a middleware of your own",
    "viewpatterns": "the URLconf: paths of your own to the views in dockerflow_django.views",
}
_GONE = {
    **{rf"\b{name}\b": instead for name, instead in NEVER_CALLED.items() if "process" not in name},
    r"\bextract_request_id\b": "dockerflow_django.context.current_rid, once the request has begun",
    r"\bget_or_generate_request_id\b": "dockerflow_django.context.current_rid",
    r"\bSafeJSONEncoder\b": "nothing: the formatter shows what JSON cannot",
    r"\bis_value_jsonlike\b": "nothing: a message that looks like JSON is kept",
}
_GONE_PATTERNS = [(re.compile(pattern), instead) for pattern, instead in _GONE.items()]


def renamed(text: str) -> Iterator[OldName]:
    """Yield each old name in the text, and the new one that does the same."""
    for pattern, old, new in _RENAMED:
        for match in pattern.finditer(text):
            found = match[0].strip()
            start = match.end() - len(match[0].lstrip())
            yield OldName(found, found.replace(old, new, 1), start)


def gone(text: str) -> Iterator[OldName]:
    """Yield each name in the text that has no namesake here, and what does its work."""
    for pattern, instead in _GONE_PATTERNS:
        for match in pattern.finditer(text):
            yield OldName(match[0], instead, match.start())
