"""Views that say which worker has a request, and that end it."""

import os
import time
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import path
from prometheus_client import Counter

from tests.project.urls import urlpatterns as others
from tests.torture.deaths.ways import WAYS

WORKED = Counter("mortal_work", "Requests that a view has begun.")


def work(request: HttpRequest) -> HttpResponse:
    """Say which worker has begun which request, take a little time, and answer."""
    WORKED.inc()
    with (Path(settings.BASE_DIR) / "begun").open("a") as file:
        file.write(f"{request.GET['number']} {os.getpid()}\n")
    time.sleep(0.01)
    return HttpResponse(str(os.getpid()))


def die(request: HttpRequest) -> HttpResponse:
    """End this worker, or try to."""
    WAYS[request.GET["how"]]()
    return HttpResponse("alive")


urlpatterns = [path("work/", work), path("die/", die), *others]
