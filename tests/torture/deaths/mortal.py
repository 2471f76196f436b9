"""An application whose workers begin as the test orders.

An order is a file in the project's folder, taken by the worker that renames it first: ``hang`` has
it hang while it is loaded, ``fail`` has it fail. As long as there is ``hold``, all of them wait. At
SIGUSR1 a worker tells what its threads do.
"""

import faulthandler
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

FOLDER = Path(os.environ["PROJECT_FOLDER"])
LONGEST_HANG_SECONDS = 600.0


def obey() -> None:
    """Take an order, if there is one."""
    for order in ("hang", "fail"):
        with suppress(FileNotFoundError):
            (FOLDER / order).rename(FOLDER / f"{order}-{os.getpid()}")
            if order == "fail":
                raise ImportError("as ordered")
            time.sleep(LONGEST_HANG_SECONDS)
    while (FOLDER / "hold").exists():
        time.sleep(0.02)


faulthandler.register(signal.SIGUSR1)
obey()
application = get_wsgi_application()
asgi_application = get_asgi_application()
