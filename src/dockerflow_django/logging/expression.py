"""Regular expressions that are compiled when they are first used.

To compile those of this room takes longer than to import it, and most processes never see a secret.
"""

import re
from typing import Any, cast


class _Expression:
    def __init__(self, pattern: str, flags: int) -> None:
        self._pattern = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        method = getattr(re.compile(self._pattern, self._flags), name)
        setattr(self, name, method)  # so that this is asked once
        return method


def expression(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return what behaves as `re.compile(pattern, flags)`, for its methods and attributes."""
    return cast("re.Pattern[str]", _Expression(pattern, flags))
