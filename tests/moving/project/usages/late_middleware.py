"""The middleware last, a setting that is None, a version callback, a logger of the old name."""

from base import *  # noqa: F403
from base import LOGGING, MIDDLEWARE
from decouple import config

MIDDLEWARE = [*MIDDLEWARE[1:], MIDDLEWARE[0]]
DOCKERFLOW_REQUEST_ID_HEADER_NAME = config("DOCKERFLOW_REQUEST_ID_HEADER_NAME", None)
DOCKERFLOW_VERSION_CALLBACK = "shop.version"
LOGGING["loggers"] = {"dockerflow": {"handlers": ["console"], "level": "ERROR"}}
