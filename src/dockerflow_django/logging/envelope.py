"""The top level of a mozlog line: its names, and values that the schema allows."""

import time
from collections.abc import Mapping
from typing import Any

from dockerflow_django.logging.text import safe_repr, well_formed

TIMESTAMP = "Timestamp"
TYPE = "Type"
LOGGER = "Logger"
HOSTNAME = "Hostname"
ENV_VERSION = "EnvVersion"
SEVERITY = "Severity"
PID = "Pid"
FIELDS = "Fields"

MAX_TIMESTAMP = 2**63
MAX_TEXT = 1_024


def nanoseconds(created: Any) -> int:
    """Return a record's time in nanoseconds since 1970, or now if it has no such time.

    A float holds the present to about 250 ns.
    """
    try:
        timestamp = int(created * 1e9)
    except (TypeError, ValueError, OverflowError):
        timestamp = -1
    return timestamp if 0 <= timestamp < MAX_TIMESTAMP else time.time_ns()


def severity(level: Any, severities: Mapping[int, int], default: int) -> int:
    """Return the syslog severity; a level between two known ones has the lower one's."""
    try:
        return severities[max(known for known in severities if known <= level)]
    except (TypeError, ValueError):  # no number, or below all
        return default


def as_text(value: Any) -> str:
    """Return a name as text that every reader can decode."""
    text = str.__str__(value) if issubclass(type(value), str) else safe_repr(value)
    return well_formed(text[:MAX_TEXT])
