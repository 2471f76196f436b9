"""Which requests the middleware answers itself."""

import pytest
from django.test import RequestFactory, override_settings

from dockerflow_django.endpoints.early import early_endpoint
from dockerflow_django.endpoints.endpoint import Endpoint

request = RequestFactory().get("/__lbheartbeat__")


def test_an_endpoint_is() -> None:
    """A probe's request goes no further than the middleware."""
    assert early_endpoint(request) == Endpoint("lbheartbeat")


@pytest.mark.parametrize("urlconf", ["no_such_urls", "tests.no_such.urls"])
def test_without_a_urlconf_none_is(urlconf: str) -> None:
    """If the URLconf cannot be imported, it is left to Django to say so."""
    with override_settings(ROOT_URLCONF=urlconf):
        assert early_endpoint(request) is None
    assert early_endpoint(request) is not None
