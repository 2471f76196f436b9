"""Take pictures of the heartbeat page, light, dark and narrow: ``python docs/images/heartbeat.py``.

The database, the caches and the disk are asked in earnest, and a database that is not there.
"""

import tempfile
import time
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

HERE = Path(__file__).parent
CHECKS = "dockerflow_django.checks"
SIZES = {
    "heartbeat-light": {"width": 1000, "height": 620},
    "heartbeat-dark": {"width": 1000, "height": 620, "dark": True},
    "heartbeat-narrow": {"width": 500, "height": 900},
}


def main() -> None:
    """Serve nothing: the page is one file."""
    from django.test import Client

    from tests.harness.chromium import take_picture

    with tempfile.TemporaryDirectory() as folder:
        _set_up(Path(folder))
        for _ in range(2):
            body = Client().get("/__heartbeat__", headers={"accept": "text/html"}).content
            time.sleep(2)
        page = Path(folder, "page.html")
        page.write_bytes(body)
        for name, size in SIZES.items():
            take_picture(page.as_uri(), HERE / f"{name}.png", **size)


def _set_up(folder: Path) -> None:
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "db.sqlite3"}
    away = {"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": 9, "NAME": "x"}
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={"default": sqlite, "archive": away},
        DOCKERFLOW_CHECKS=[
            (f"{CHECKS}.check_database_connected", {"aliases": ["archive"]}),
            (f"{CHECKS}.check_migrations_applied", {"aliases": ["default"]}),
            f"{CHECKS}.check_caches",
            f"{CHECKS}.check_disk_space",
        ],
        DOCKERFLOW_HEARTBEAT_DETAILS="always",
        DOCKERFLOW_VERSION_CALLBACK=lambda root: {
            "source": "https://github.com/example/shop",
            "version": "2026.11.1",
            "commit": "9f2c4e1a7b0d",
            "build": "https://ci.example.com/shop/4711",
        },
        INSTALLED_APPS=["django.contrib.contenttypes", "dockerflow_django"],
        ROOT_URLCONF="dockerflow_django.urls",
        SECRET_KEY="only for pictures",
    )
    django.setup()
    call_command("migrate", verbosity=0)


if __name__ == "__main__":
    main()
