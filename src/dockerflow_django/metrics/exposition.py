"""All metrics of this container as text; knows no request, so that a probe listener may ask."""

import gzip
from dataclasses import dataclass

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.multiprocess import MultiProcessCollector

from dockerflow_django.metrics import feed, process, workers


@dataclass(frozen=True)
class Exposition:
    """What goes back to Prometheus."""

    body: bytes
    headers: dict[str, str]


def expose(accept: str = "", accept_encoding: str = "") -> Exposition:
    """Return every metric in the format and encoding that the client takes; runs no check."""
    feed.start()
    process.look()
    encode, content_type = choose_encoder(accept)
    body = encode(_registry())
    headers = {
        "Content-Type": content_type,
        "Cache-Control": "no-store",
        "Vary": "Accept, Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if gzip_accepted(accept_encoding):
        body = gzip.compress(body, compresslevel=6)
        headers["Content-Encoding"] = "gzip"
    return Exposition(body, headers)


def _registry() -> CollectorRegistry:
    if (values := workers.folder()) is None:
        return REGISTRY
    workers.sweep()
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(values))
    return registry
