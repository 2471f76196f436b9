"""A filter of error reports that asks the middleware for its paths."""

from base import *  # noqa: F403
