"""A Grafana dashboard and Prometheus rules for this app's metrics and django-prometheus's.

The files beside this one name django-prometheus's metrics as they are without a namespace.
"""

import re
from importlib import resources

from django_prometheus.conf import NAMESPACE

# The families of django-prometheus that the files use.
_FOREIGN = re.compile(r"\bdjango_(?=(?:cache|db|http|model)_)")


def dashboard() -> str:
    """Return the dashboard as JSON, for this project's ``PROMETHEUS_METRIC_NAMESPACE``."""
    return _named(_read("dashboard.json"))


def rules() -> str:
    """Return the recording rules and the alerts as YAML, likewise."""
    return _named(_read("rules.yaml"))


def _read(name: str) -> str:
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8").rstrip()


def _named(text: str) -> str:
    return _FOREIGN.sub(f"{NAMESPACE}_django_", text) if NAMESPACE else text
