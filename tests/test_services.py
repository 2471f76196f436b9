"""The tests' own answer to a service that is not there."""

import pytest

from tests import services


@pytest.fixture
def nowhere(monkeypatch, refusing_port):
    monkeypatch.setenv("TEST_REDIS_URL", f"redis://127.0.0.1:{refusing_port}/0")


def test_skips_locally(nowhere, monkeypatch):
    """A missing service skips on a developer's machine, and names the variable to set."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="TEST_REDIS_URL"):
        services.require("redis")


def test_fails_under_ci(nowhere, monkeypatch):
    """A missing service fails where all of them have to be there."""
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception, match="TEST_REDIS_URL"):
        services.require("redis")
