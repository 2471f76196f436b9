"""A middleware after ours gives the request an id of its own."""

from base import *  # noqa: F403
from base import MIDDLEWARE

MIDDLEWARE = [*MIDDLEWARE, "shop.AuditLogMiddleware"]
