"""Take pictures of the heartbeat page, light, dark and narrow: ``python docs/images/heartbeat.py``.

It needs what the tests need, and Pillow. Databases, caches and the disk are asked in earnest; a
PostgreSQL is stopped half a minute before the pictures are taken.
"""

import html
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

HERE = Path(__file__).parent
sys.path.append(str(HERE.parents[1]))

CHECKS = "dockerflow_django.checks"
DOWN_SECONDS = 35
SIZES = {
    "heartbeat-light": {"width": 1000, "height": 640},
    "heartbeat-dark": {"width": 1000, "height": 640, "dark": True},
    "heartbeat-narrow": {"width": 390, "height": 844},
}


def main() -> None:
    """Ask while the archive's database is there, and again when it has been away for a while."""
    from palette import write_with_palette

    from tests.harness.postgres import PostgreSQL

    with tempfile.TemporaryDirectory() as folder:
        with PostgreSQL() as archive:
            _set_up(Path(folder), archive.settings("postgres"))
            _ask()
        time.sleep(2)
        _ask()
        time.sleep(DOWN_SECONDS)
        page = _ask()
        for name, size in SIZES.items():
            _take(page, Path(folder, "page.html"), HERE / f"{name}.png", **size)
            write_with_palette(HERE / f"{name}.png")


def _ask() -> str:
    from django.test import Client

    return Client().get("/__heartbeat__", headers={"accept": "text/html"}).content.decode()


def _take(page: str, file: Path, picture: Path, *, width: int, height: int, **more: Any) -> None:
    """Take a picture of so many pixels; a window is never narrower than 500, but a frame is."""
    from PIL import Image

    from tests.harness.chromium import take_picture

    frame = f'<iframe width="{width}" height="{height}" srcdoc="{html.escape(page)}"></iframe>'
    style = "<style>body { margin: 0 } iframe { border: 0; display: block }</style>"
    file.write_text(f"<!doctype html>{style}{frame}")
    take_picture(file.as_uri(), picture, width=max(width, 500), height=height, **more)
    with Image.open(picture) as image:
        whole = image.crop((0, 0, width, height))
    whole.save(picture)


def _set_up(folder: Path, archive: dict[str, Any]) -> None:
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "db.sqlite3"}
    databases = (f"{CHECKS}.check_database_connected", {"aliases": ["default", "archive"]})
    migrations = (f"{CHECKS}.check_migrations_applied", {"aliases": ["default"]})
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": sqlite, "archive": archive},
        DOCKERFLOW_CHECKS=[
            databases,
            migrations,
            f"{CHECKS}.check_caches",
            f"{CHECKS}.check_storage",
            f"{CHECKS}.check_disk_space",
        ],
        DOCKERFLOW_HEARTBEAT_DETAILS="always",
        DOCKERFLOW_PROBES={"readiness": [databases]},
        DOCKERFLOW_VERSION_CALLBACK=lambda root: {
            "source": "https://github.com/example/shop",
            "version": "2026.11.1",
            "commit": "9f2c4e1a7b0d",
            "build": "https://ci.example.com/shop/4711",
        },
        INSTALLED_APPS=["django.contrib.contenttypes", "dockerflow_django"],
        MEDIA_ROOT=folder,
        ROOT_URLCONF="dockerflow_django.urls",
        SECRET_KEY="only for pictures",
    )
    django.setup()
    # As after a deployment that has forgotten to migrate.
    call_command("migrate", "contenttypes", "0001", verbosity=0)


if __name__ == "__main__":
    main()
