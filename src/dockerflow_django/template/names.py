"""Which names a project can have."""

import sys
from collections.abc import Iterable
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path


def problem_with(name: str, dependencies: Iterable[str]) -> str | None:
    """Return why a project cannot have this name, or None.

    `dependencies` are the distributions that the project installs; it cannot be one of them.
    """
    if not name.isidentifier() or not name.isascii():
        return f"{name!r} is not a valid name: use letters, digits and underscores, as in shop_api"
    if iskeyword(name):
        return f"{name!r} is a keyword of Python: choose another name"
    if name.startswith("_") or name.endswith("_"):
        return f"{name!r} is not a valid name: a package cannot begin or end with an underscore"
    if _is_module(name):
        return f"{name!r} is the name of a Python module, which it would hide: choose another name"
    if _normalised(name) in map(_normalised, dependencies):
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
    return name.lower().replace("_", "-")
