"""The OpenAPI description has every endpoint, and what is answered keeps to it."""

import json

import pytest
import yaml
from jsonschema import Draft202012Validator

from dockerflow_django import urls
from dockerflow_django.endpoints.answers import METHODS
from dockerflow_django.health import PROBES
from dockerflow_django.heartbeat.report import STATUSES
from dockerflow_django.metrics import urls as metrics_urls
from dockerflow_django.supervisor.answers import reply_of
from dockerflow_django.testing import reset
from tests.documents import ROOT
from tests.facts import PROJECT
from tests.supervisor.conftest import ended, probes

DESCRIPTION = yaml.safe_load((ROOT / "docs/reference/openapi.yaml").read_text("utf-8"))
PATHS = DESCRIPTION["paths"]
SCHEMAS = DESCRIPTION["components"]["schemas"]

__all__ = ["ended", "probes"]


def validate(name, value):
    """Compare a value with a schema of the description."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DESCRIPTION["components"]}
    Draft202012Validator(schema).validate(value)


def test_paths():
    """They are those of the patterns, each for the methods that are answered."""
    patterns = [*urls.urlpatterns, *metrics_urls.urlpatterns]
    written = {str(p.pattern).removeprefix("^").removesuffix("/?$") for p in patterns}
    assert {path[1:].replace("{probe}", "(?P<probe>[^/]+)") for path in PATHS} == written
    described = {"GET": "get", "HEAD": "head"}
    for item in PATHS.values():
        assert {described[method] for method in METHODS} == item.keys() & {
            *("get", "head", "post", "put", "patch", "delete", "options", "trace")
        }


def test_words():
    """The version, the probes and the statuses are the app's."""
    assert DESCRIPTION["info"]["version"] == PROJECT["version"]
    (parameter,) = PATHS["/__heartbeat__/{probe}"]["parameters"]
    assert parameter["schema"]["enum"] == list(PROBES)
    assert SCHEMAS["Status"]["enum"] == list(STATUSES.values())


@pytest.fixture(autouse=True)
def _anew():
    reset()
    yield
    reset()


@pytest.mark.parametrize("details", ["always", "never"])
@pytest.mark.parametrize("checks", [[], ["tests.no_such_check"]], ids=str)
def test_heartbeats(client, settings, details, checks):
    """Bodies of the application's port keep to the schema, with and without details."""
    settings.DOCKERFLOW_HEARTBEAT_DETAILS = details
    settings.DOCKERFLOW_CHECKS = checks
    settings.DOCKERFLOW_PROBES = dict.fromkeys(PROBES, checks)
    for path in ("", *(f"/{probe}" for probe in PROBES)):
        response = client.get(f"/__heartbeat__{path}")
        assert str(response.status_code)[0] in "25"
        assert ("details" in response.json()) == (details == "always")
        validate("Heartbeat", response.json())


@pytest.mark.parametrize("details", [True, False])
def test_probe_port(probes, details):
    """So do those of the probe port, before any worker has answered."""
    for probe in PROBES:
        body = json.loads(reply_of(probes.verdict(probe), details=details).body)
        assert ("details" in body) == details
        validate("Heartbeat", body)


def test_errors(client):
    """An error has one sentence."""
    for path in ("/__heartbeat__/nope", "/__error__"):
        validate("Error", client.get(path).json())
