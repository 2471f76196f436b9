"""Lines of a command are seen, whatever the project's LOGGING leaves out."""

import logging
import sys


def log_somewhere(*names: str) -> None:
    """Give the loggers a plain handler if the project's LOGGING leaves them without any.

    A logger whose level nobody has set, above INFO by its ancestors', is set to INFO.
    """
    for name in names:
        found = logging.getLogger(name)
        if found.getEffectiveLevel() > logging.INFO and found.level == logging.NOTSET:
            found.setLevel(logging.INFO)
        if not found.hasHandlers():
            handler = logging.StreamHandler(sys.stdout)
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
            found.addHandler(handler)
