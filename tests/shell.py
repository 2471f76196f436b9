"""Shell blocks of the documentation, taken apart."""

import re
import shlex
from itertools import dropwhile, groupby

_OPERATORS = {"&&", "||", "|", ";", "&"}
_ASSIGNMENT = re.compile(r"[A-Z_]+=.*", re.DOTALL)


def commands_in(text):
    """Yield each command as a list of words, without the variables that are set before it."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        for is_operator, group in groupby(words, _OPERATORS.__contains__):
            command = list(dropwhile(_ASSIGNMENT.fullmatch, group))
            if command and not is_operator:
                yield command
