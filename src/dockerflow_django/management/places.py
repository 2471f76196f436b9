"""Take out of a text where things lie on this machine: it may be pasted into a report."""

import os
import re
import site
import sys
import sysconfig
from pathlib import Path

from django.conf import settings

# What stands before the root of a path; a regular expression that begins with "^" is none.
_START = r"(?<![\w.~/^-])"
_HOMES = re.compile(_START + r"(/home|/Users)/[^/\s'\":,;]+")
# One path and nothing else, as `repr` shows it: with no sign that a pattern or a list has.
_PATH = re.compile(r"""(?:\w+\()?(['"])/[^\s'"*?+|^$(){}\[\]\\]*\1\)?""")


def hide_places(text: str) -> str:
    """Write ``BASE_DIR``, ``site-packages`` and ``~`` for the folders that these are here.

    Of any other folder that modules are imported from, the last part of its path stays. The names
    of others' homes are left out.
    """
    for folder, name in _folders(str(getattr(settings, "BASE_DIR", None) or "")):
        text = _hide(folder, name, text)
    return _HOMES.sub(r"\1/...", text)


def hide_place(value: str) -> str:
    """Do so with a setting's value, given as `repr` shows it, if it is one path and nothing else.

    Any other value is shown as it is written: a pattern may look like a path.
    """
    return hide_places(value) if _PATH.fullmatch(value) else value


def _hide(folder: str, name: str, text: str) -> str:
    pattern = rf"{_START}{re.escape(folder)}(?![\w.-])"
    return re.sub(pattern, lambda _: name, text)  # as it is, with its backslashes


def _folders(base_dir: str) -> list[tuple[str, str]]:
    """Return folders and what stands for each, those that lie inside of others first."""
    packages = [sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")]
    packages += [*site.getsitepackages(), *sys.path]
    names = {os.path.expanduser("~"): "~"}  # noqa: PTH111 - `Path.home` may raise
    names |= {folder: Path(folder).name for folder in packages}
    names |= {base_dir: "BASE_DIR"}
    found = [(folder.rstrip("/"), name) for folder, name in names.items()]
    absolute = [each for each in found if each[0].startswith("/")]
    return sorted(absolute, key=lambda each: -len(each[0]))
