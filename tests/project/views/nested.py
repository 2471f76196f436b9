"""Views that make a request of their own, by Django's test client, in the midst of the first.

They import the client: every process of the project imports this module, and few of them make one.
"""

from django.http import HttpRequest, HttpResponse

from tests.project import reached

PATH = "/items/7/"
SUFFIX = "-inner"
# The client would raise what any other request of the process raises meanwhile.
LENIENT = {"raise_request_exception": False}


def nested(request: HttpRequest) -> HttpResponse:
    """Answer what the inner request answers, and its id."""
    from django.test import Client

    answer = Client(**LENIENT).get(PATH, headers=_headers(request))
    return HttpResponse(answer.content + b" " + answer.headers["X-Request-ID"].encode())


async def nested_async(request: HttpRequest) -> HttpResponse:
    from django.test import AsyncClient

    answer = await AsyncClient(**LENIENT).get(PATH, headers=_headers(request))
    return HttpResponse(answer.content + b" " + answer.headers["X-Request-ID"].encode())


def _headers(request: HttpRequest) -> dict[str, str]:
    number = request.headers["User-Agent"] + SUFFIX
    reached.note(number)
    return {"User-Agent": number}
