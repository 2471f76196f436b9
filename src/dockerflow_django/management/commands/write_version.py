"""Write ``version.json`` while an image is built, for ``/__version__`` to answer with."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dockerflow_django.management import version_file
from dockerflow_django.management.arguments import explain_in_one_line
from dockerflow_django.version import FILE_NAME

if TYPE_CHECKING:
    from django.core.management.base import CommandParser


class Command(BaseCommand):
    """Collect what is known of this build, write it, and show what was written.

    .. versionadded:: 0.1
    """

    help = (
        "Write version.json. What is not given is taken from the variables of the build service"
        f" ({', '.join(version_file.BUILD_SERVICES)}), else from git."
    )
    # An image is built without services, and often without the settings of where it will run.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the place, and each of the four values."""
        explain_in_one_line(parser)
        parser.add_argument("--path", help="the file to write (default: BASE_DIR/version.json)")
        parser.add_argument("--source", default="", help="where the repository is to be found")
        # Not --version: every command of Django's has that, and prints Django's own.
        parser.add_argument("--release", default="", help="the version: a tag, or any name")
        parser.add_argument("--commit", default="", help="the hash of the commit")
        parser.add_argument("--build", default="", help="where the build is to be found")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file; a value that cannot be found or written is one line and exit 1."""
        path = Path(options["path"]) if options["path"] else _default_path()
        folder = Path(getattr(settings, "BASE_DIR", None) or path.parent)
        given = {key: options[key] for key in ("source", "commit", "build")}
        given["version"] = options["release"]
        try:
            version = version_file.collect(given, os.environ, folder)
            version_file.write(path, version)
        except version_file.CommitUnknownError as error:
            raise CommandError(f"the commit is not known: {error}") from None
        except OSError as error:
            raise CommandError(f"cannot write {path}: {error.strerror}") from error
        self.stdout.write(f"{path}: {json.dumps(version)}")


def _default_path() -> Path:
    base = getattr(settings, "BASE_DIR", None)
    if base is None:
        raise CommandError("BASE_DIR is not among the settings: say where with --path")
    return Path(base, FILE_NAME)
