"""What `django-admin startproject` makes, with the app of one contender and without."""

import gc
import sys
from typing import Any, TextIO

from benchmarks import projects

DJANGO_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}


def application(name: str, log: TextIO) -> Any:
    """Configure Django for one contender, whose lines go to `log`; return the WSGI application."""
    projects.configure(
        name,
        log=log,
        DATABASES=DATABASES,
        INSTALLED_APPS=[*DJANGO_APPS, *projects.APPS[name]],
        MIDDLEWARE=[*projects.MIDDLEWARE[name], *projects.STARTPROJECT],
        STATIC_URL="static/",
        TEMPLATES=TEMPLATES,
    )
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def answer_once(name: str) -> None:
    """Be a process that starts, answers one request and ends."""
    # Whether a full collection falls into so short a life is chance: this project is one allocation
    # in a hundred away from it. So there is none, in any contender.
    gc.disable()
    from benchmarks.middleware import environ

    with open("/dev/null", "w") as log:  # noqa: PTH123
        response = application(name, log)(environ("/empty/"), lambda status, headers: None)
        assert response.status_code == 200
        response.close()


if __name__ == "__main__":
    answer_once(sys.argv[1])
