"""The ``manage.py`` of a project with django-health-check, and the server that both ask."""

import sys
from typing import Any

from django.urls import path

from benchmarks import projects

urlpatterns = [path("__lbheartbeat__", projects.empty, name="ping")]


def __getattr__(name: str) -> Any:
    if name != "wsgi":
        raise AttributeError(name)
    _configure()
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()


def _configure() -> None:
    projects.APPS[projects.BARE].append("health_check")
    projects.configure(projects.BARE, quiet=True, ROOT_URLCONF=__name__, DATABASES={})


if __name__ == "__main__":
    _configure()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *sys.argv[1:]])
