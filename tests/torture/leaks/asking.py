"""Requests that carry a secret in each place of a request."""

from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote

from dockerflow_django.logging.secret_names import IN_QUERIES, IN_URLS
from tests.harness import http
from tests.harness.served import Served
from tests.logging.secrets import WORDS
from tests.torture.leaks.secrets import Secrets

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def headers(secrets: Secrets) -> dict[str, str]:
    """Return headers that each hold a secret of its own."""
    plant = secrets.plant
    basic = b64encode(f"ada:{plant('header Authorization, Basic')}".encode()).decode()
    return {
        "Authorization": f"Basic {basic}",
        "Proxy-Authorization": f"Bearer {plant('header Proxy-Authorization')}",
        "Cookie": "; ".join(
            f"{name}={plant(f'cookie {name}')}" for name in ("sessionid", "csrftoken", "my_token")
        ),
        "Referer": f"http://shop/?token={plant('header Referer')}",
        "User-Agent": f"client/1 (api_key={plant('header User-Agent')})",
        **{
            name: plant(f"header {name}")
            for name in ("X-Api-Key", "X-Auth-Token", "X-CSRFToken", "X-Amz-Security-Token")
        },
    }


def ask_everything(
    instance: Served, secrets: Secrets, ways: list[str], at_once: int
) -> Iterator[http.Answer]:
    """Yield the answers to all requests that this module knows, with so many names in a query."""
    yield from _ask_names(instance, secrets, at_once)
    yield from _ask_paths(instance, secrets)
    for way in ways:
        yield from _tell(instance, secrets, way)
    yield _malformed(instance, secrets)


def _ask_names(instance: Served, secrets: Secrets, at_once: int) -> Iterator[http.Answer]:
    plant, everything = secrets.plant, (*WORDS, *IN_URLS, *IN_QUERIES)
    for start in range(0, len(everything), at_once):
        names = everything[start : start + at_once]
        query = "&".join(
            f"{written}={plant(f'query {written}')}"
            for name in names
            for written in (name, f"a%5B{name}%5D")
        )
        yield instance.get(f"/plain/?a=1&{query}", headers=headers(secrets))


def _ask_paths(instance: Served, secrets: Secrets) -> Iterator[http.Answer]:
    plant = secrets.plant
    yield instance.get(f"/reset/MQ/{plant('path: token')}/")
    yield instance.get(f"/reset/MQ/{plant('path without a slash: token')}")
    yield instance.get(f"/nowhere/{plant('unknown path')}-{'0' * 20}/?token={plant('its query')}")
    yield instance.get(f"/plain/?next=https://a:{plant('a URL in a query')}@shop/")


def _tell(instance: Served, secrets: Secrets, way: str) -> Iterator[http.Answer]:
    for path in ("tell", "tell-async"):
        body = f"secret={secrets.plant(f'form, {path} {way}')}&password={secrets.plant('form')}"
        query = f"token={secrets.plant(f'query, {path} {way}')}"
        yield http.request(
            instance.address,
            "POST",
            f"/{path}/{quote(way)}/?{query}",
            headers={**headers(secrets), **FORM},
            body=body.encode(),
        )


def _malformed(instance: Served, secrets: Secrets) -> http.Answer:
    """Send what is no HTTP: the server itself answers, and may say what it got."""
    planted = secrets.plant("what is no header")
    with instance.connect() as connection:
        connection.send("GET", "/plain/", headers={"Authorization Basic": planted})
        return connection.read()
