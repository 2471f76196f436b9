"""The project's ``LOGGING`` holds in a worker and in beat.

Celery takes the root logger over, with a format of its own, unless ``setup_logging`` has a
receiver. With one it also leaves ``--loglevel``, ``--logfile`` and the redirection of standard
output alone: what a worker logs, and where to, is what ``LOGGING`` says.
"""

import logging
from typing import Any


def keep_project_logging(
    loglevel: int | None = None,
    logfile: str | None = None,
    format: str = logging.BASIC_FORMAT,  # noqa: A002 - the name of Celery's argument
    **kwargs: Any,
) -> None:
    """Leave logging as Django has configured it; without a handler of its own, log as asked."""
    if not logging.getLogger().handlers:
        logging.basicConfig(filename=logfile or None, level=loglevel, format=format)
