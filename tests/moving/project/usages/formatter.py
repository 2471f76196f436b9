"""A formatter made from theirs."""

from base import *  # noqa: F403
from base import LOGGING

LOGGING["formatters"]["json"]["()"] = "shop_logging.ShopFormatter"
