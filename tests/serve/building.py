"""A server of `serve` that is built, and not started."""

from typing import Any

from dockerflow_django.serve.options import build_server


def build(*more: str, asgi: bool = False) -> Any:
    """Return it; the options are Granian's, as behind ``--``."""
    return build_server(asgi=asgi, defaults={}, given={}, more=more)
