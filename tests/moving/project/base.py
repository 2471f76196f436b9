"""The settings that the ten usages share, as a project of python-dockerflow has them."""

from pathlib import Path

BASE_DIR = Path(__file__).parent
ALLOWED_HOSTS = ["testserver"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "dockerflow.django",
]
MIDDLEWARE = [
    "dockerflow.django.middleware.DockerflowMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
ROOT_URLCONF = "urls"
SECRET_KEY = "only for tests"
USE_TZ = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"rid": {"()": "dockerflow.logging.RequestIdLogFilter"}},
    "formatters": {
        "json": {"()": "dockerflow.logging.JsonLogFormatter", "logger_name": "shop"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["rid"],
            "formatter": "json",
        },
    },
    "root": {"handlers": ["console"], "level": "INFO"},
}
