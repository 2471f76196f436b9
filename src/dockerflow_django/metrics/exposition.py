"""All metrics of this container as text; knows no request, so that a probe listener may ask."""

import gzip
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.exposition import choose_encoder, gzip_accepted
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

from dockerflow_django._state import keeps
from dockerflow_django.metrics import feed, process, workers

__all__ = ["Exposition", "expose"]

logger = logging.getLogger("dockerflow_django")


@dataclass(frozen=True)
class Exposition:
    """The answer to a scrape."""

    body: bytes
    """All metrics as text, compressed if a header says so."""

    headers: dict[str, str]
    """``Content-Type`` and the others."""


def expose(accept: str = "", accept_encoding: str = "") -> Exposition:
    """Return every metric in the format that the client takes. It runs no check.

    :param accept: the request's header ``Accept``: OpenMetrics if it asks for that, else
        Prometheus's text format.
    :param accept_encoding: its header ``Accept-Encoding``: compressed if it has ``gzip``.
    """
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
    registry.register(_Folder(values))
    return registry


class _Folder:
    """Collects the values of every process; a file that cannot be read costs its values alone."""

    def __init__(self, values: Path) -> None:
        self._values = values

    def collect(self) -> Iterable[Metric]:
        """Return the metrics of the files that can be read."""
        files = [str(file) for file in self._values.glob("*.db")]
        try:
            return _merge(files)
        except Exception:  # noqa: BLE001 - whatever the reader makes of a broken file
            return _merge([file for file in files if _is_readable(file)])


def _merge(files: list[str]) -> Iterable[Metric]:
    merged: Iterable[Metric] = MultiProcessCollector.merge(files, accumulate=True)
    return list(merged)


def _is_readable(file: str) -> bool:
    try:
        _merge([file])
    except Exception as error:  # noqa: BLE001 - as above
        if file not in _unreadable:
            _unreadable.add(file)
            name, kind = Path(file).name, type(error).__name__
            logger.warning("The metrics in %s are left out: the file is broken (%s).", name, kind)
        return False
    return True


# Each is told of once.
_unreadable: set[str] = set()
keeps("_unreadable")(_unreadable.clear)
