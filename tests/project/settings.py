"""The settings of the subprocess project, which a test sets through the environment.

``PROJECT_FOLDER``
    the project's own folder: ``BASE_DIR``, uploads, what checks and views leave for the test.
``PROJECT_DATABASES``
    ``DATABASES`` as JSON.
``PROJECT_SETTINGS``
    a JSON object whose items replace or add settings, whatever is written here.
``PROJECT_LOGGING``
    where set, the app's own ``logging_config("project")`` instead of Django's default.
"""

import json
from os import environ
from pathlib import Path
from tempfile import gettempdir

BASE_DIR = Path(environ.get("PROJECT_FOLDER") or gettempdir())

ALLOWED_HOSTS = ["127.0.0.1"]
ASGI_APPLICATION = "tests.project.asgi.application"
DATABASES = json.loads(
    environ.get(
        "PROJECT_DATABASES",
        '{"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}',
    )
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "dockerflow_django",
    "tests.project",
]
MIDDLEWARE = [
    "dockerflow_django.middleware.DockerflowMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tests.project.middleware.RaisingMiddleware",
]
ROOT_URLCONF = "tests.project.urls"
SECRET_KEY = "only for tests"
STATIC_ROOT = BASE_DIR / "static"
STATIC_URL = "static/"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
USE_TZ = True
WSGI_APPLICATION = "tests.project.wsgi.application"

if environ.get("PROJECT_LOGGING"):
    from dockerflow_django.logging import logging_config

    LOGGING = logging_config("project")

globals().update(json.loads(environ.get("PROJECT_SETTINGS", "{}")))
