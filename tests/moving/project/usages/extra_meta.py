"""A subclass of the middleware that adds to the summary."""

from base import *  # noqa: F403
from base import MIDDLEWARE

MIDDLEWARE = ["middleware.TenantMiddleware", *MIDDLEWARE[1:]]
