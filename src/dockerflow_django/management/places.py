"""Take out of a text where things lie on this machine: it may be pasted into a report."""

import os
import re
import site
import sys
import sysconfig
from pathlib import Path

from django.conf import settings

_HOMES = re.compile(r"(?<![\w.~/-])/(?:home|Users)/[^/\s'\":,;]+")


def hide_places(text: str) -> str:
    """Write ``BASE_DIR``, ``site-packages`` and ``~`` for the folders that these are here.

    Of any other folder that modules are imported from, the last part of its path stays.
    """
    for folder, name in _folders(str(getattr(settings, "BASE_DIR", None) or "")):
        text = re.sub(rf"(?<![\w.~/-]){re.escape(folder)}(?![\w.-])", name, text)
    return _HOMES.sub("~", text)


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
