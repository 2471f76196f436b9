"""Which names a project can have."""

import re
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path

# What the packages that a project installs bring: uv resolves no project of such a name.
_BROUGHT = frozenset(
    """
    amqp anyio argon2-cffi argon2-cffi-bindings asgiref asttokens async-timeout billiard boto3
    botocore certifi cffi cfgv charset-normalizer click click-didyoumean click-plugins click-repl
    colorama decorator distlib executing filelock identify idna iniconfig ipython
    ipython-pygments-lexers jedi jmespath matplotlib-inline nodeenv packaging parso pexpect
    platformdirs pluggy prometheus-client prompt-toolkit psutil psycopg-binary psycopg-pool
    ptyprocess pure-eval pycparser pygments python-dateutil python-discovery requests s3transfer
    six sqlparse stack-data traitlets typing-extensions tzdata tzlocal urllib3 vine virtualenv
    watchfiles wcwidth
    """.split()  # noqa: SIM905 - one a line would fill the file
)


def problem_with(name: str, dependencies: Iterable[str]) -> str | None:
    """Return why a project cannot have this name, or None.

    `dependencies` are the distributions that the project asks for; it cannot be one of them, nor
    one that they bring.
    """
    if not name.isidentifier() or not name.isascii():
        return f"{name!r} is not a valid name: use letters, digits and underscores, as in shop_api"
    if iskeyword(name):
        return f"{name!r} is a keyword of Python: choose another name"
    if name.startswith("_") or name.endswith("_"):
        return f"{name!r} is not a valid name: a package cannot begin or end with an underscore"
    if _is_module(name):
        return f"{name!r} is the name of a Python module, which it would hide: choose another name"
    if _normalised(name) in _BROUGHT.union(map(_normalised, dependencies)):
        return f"{name!r} is the name of a package that the project needs: choose another name"
    return None


def _is_module(name: str) -> bool:
    """Return whether Python finds such a module, other than in the current folder.

    ``python -m`` puts that first on the path, and a folder in it would be a module.
    """
    here = {"", str(Path.cwd())}
    path = sys.path
    try:
        sys.path = [folder for folder in path if folder not in here]
        return find_spec(name) is not None
    except ValueError:
        return True  # It is imported, and cannot tell from where.
    finally:
        sys.path = path


def _normalised(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()
