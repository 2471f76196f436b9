"""Take out of a text where things lie on this machine: it may be pasted into a report."""

import os
import re
import site
import sysconfig
from pathlib import Path

from django.conf import settings

_HOMES = re.compile(r"(?<![\w.~/-])/(?:home|Users)/[^/\s'\":,;]+")


def hide_places(text: str) -> str:
    """Write ``BASE_DIR``, ``site-packages`` and ``~`` for the folders that these are here."""
    for folder, name in _folders(str(getattr(settings, "BASE_DIR", None) or "")):
        text = re.sub(rf"(?<![\w.~/-]){re.escape(folder)}(?![\w.-])", name, text)
    return _HOMES.sub("~", text)


def _folders(base_dir: str) -> list[tuple[str, str]]:
    """Return folders and what stands for each, those that lie inside of others first."""
    packages = [sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")]
    names = {os.path.expanduser("~"): "~"}  # noqa: PTH111 - `Path.home` may raise
    names |= {folder: Path(folder).name for folder in (*packages, *site.getsitepackages())}
    names |= {base_dir: "BASE_DIR"}
    found = [(folder.rstrip("/"), name) for folder, name in names.items()]
    absolute = [each for each in found if each[0].startswith("/")]
    return sorted(absolute, key=lambda each: -len(each[0]))
