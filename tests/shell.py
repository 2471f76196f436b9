"""Commands in the blocks of the documentation, taken apart."""

import json
import re
import shlex
from itertools import dropwhile, groupby, takewhile

_PROMPT = "$ "
_OPERATORS = {"&&", "||", "|", ";", "&"}
_ASSIGNMENT = re.compile(r"[A-Z_]+=.*", re.DOTALL)


_REDIRECTIONS = {"<", ">", ">>", "2>"}
# As Dockerfiles and manifests write a command: ["python", "manage.py", "serve"].
_LIST = re.compile(r"""\[ \s* ("(?:[^"\\\n]|\\.)*" (?:\s*,\s*)?)+ \]""", re.VERBOSE)


def commands_in(text):
    """Yield each command as a list of words, without variables before and redirections after it.

    Where a line begins with a prompt, those without one are what a command has printed.
    """
    lines = text.replace("\\\n", " ").splitlines()
    entered = [line.removeprefix(_PROMPT) for line in lines if line.startswith(_PROMPT)]
    for line in entered or lines:
        words = shlex.split(line, comments=True)
        for is_operator, group in groupby(words, _OPERATORS.__contains__):
            command = list(takewhile(_is_no_redirection, dropwhile(_ASSIGNMENT.fullmatch, group)))
            if command and not is_operator:
                yield command


def listed_commands_in(text):
    """Yield each list of words."""
    for found in _LIST.finditer(text):
        yield json.loads(found[0])


def _is_no_redirection(word):
    return word not in _REDIRECTIONS
