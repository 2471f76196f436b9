"""The project's URLs, the metrics, and the threads of the one worker."""

import gc
import threading

from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from tests.project.urls import urlpatterns as of_the_project


async def threads(request: HttpRequest) -> JsonResponse:
    """Name the threads that are left after a garbage collection.

    A pipelined request under Uvicorn runs in the context of the one before, so the thread that
    Django has for it ends when Python frees that context.
    """
    gc.collect()
    names = [thread.name for thread in threading.enumerate()]
    return JsonResponse(names, safe=False)


urlpatterns = [
    *of_the_project,
    path("", include("dockerflow_django.metrics.urls")),
    path("__threads__/", threads),
]
