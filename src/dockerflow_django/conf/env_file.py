"""Read a ``.env`` with python-decouple.

A process that serves imports this only if there is one: the import is slow.
"""

import re
from pathlib import Path

from decouple import Config, RepositoryEnv

from dockerflow_django.conf.lookup import Environment

_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([^\s=#]+)\s*=\s*(.*?)\s*", re.DOTALL)
_QUOTED = re.compile(r"""(["'])(.*?)\1\s*(?:#.*)?""", re.DOTALL)
_COMMENT = re.compile(r"(?:^|\s+)#.*", re.DOTALL)


class EnvFile(RepositoryEnv):  # type: ignore[misc] # python-decouple ships no types
    """A ``.env`` as people write it.

    Besides what python-decouple reads: a byte-order mark, ``export NAME=value``, and a comment
    behind a value. A ``#`` begins a comment only after white space, so URLs keep their fragments.
    """

    def __init__(self, source: str) -> None:
        """Read the file; raises `OSError`, or `ValueError` if it is not UTF-8."""
        # Not `splitlines`: a value may hold what that takes for a line's end, as U+2028.
        lines = Path(source).read_text(encoding="utf-8-sig").split("\n")
        self.data = dict(found for line in lines if (found := _assignment(line)))


class EnvironmentWithFile(Environment):
    """The environment of the process and, below it, that file."""

    def __init__(self, path: str) -> None:
        """Read the file; raises as `EnvFile` does."""
        file = EnvFile(path)
        self.file = file.data
        self._config = Config(file)

    def get(self, name: str) -> str | None:
        """Return the variable's value, None if there is none."""
        value: str | None = self._config.get(name, default=None)
        return value


def _assignment(line: str) -> tuple[str, str] | None:
    match = _ASSIGNMENT.fullmatch(line)
    if match is None:
        return None
    name, value = match.groups()
    if quoted := _QUOTED.fullmatch(value):
        return name, quoted[2]
    return name, _COMMENT.sub("", value, count=1)
