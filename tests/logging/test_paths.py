"""Secrets in raw paths are hidden."""

import sys

import pytest
from django.test import override_settings
from django.test.utils import override_script_prefix
from django.urls import set_urlconf

from dockerflow_django.logging.paths import MAX_PATH, redact_path
from dockerflow_django.logging.scrubbing import REDACTED

with_urls = override_settings(ROOT_URLCONF="tests.logging.urls")

SLUG = "a-long-slug-that-is-made-of-words-only"
UUID = "00000000-1111-4222-8333-aaaaaaaaaaaa"
DJANGO_TOKEN = "c5xq2v-8d5a2f0b0b1f4d6c9a3e7f1b2c4d6e8f"


@with_urls
@pytest.mark.parametrize(
    ("path", "redacted"),
    [
        ("/", "/"),
        ("/?token=planted", "/"),
        ("/accounts/reset/MQ/planted/", f"/accounts/reset/{REDACTED}/{REDACTED}/"),
        ("/accounts/reset/MQ/planted/?a=b", f"/accounts/reset/{REDACTED}/{REDACTED}/"),
        ("/accounts/confirm/planted/", f"/accounts/confirm/{REDACTED}/"),
        ("/accounts/confirm/planted/3", f"/accounts/confirm/{REDACTED}/3"),
        ("/accounts/reset/MQ/planted", f"/accounts/reset/{REDACTED}/{REDACTED}"),
        ("/planted/inside/7/", f"/{REDACTED}/inside/7/"),
        ("/en-us/invite/planted/", f"/en-us/invite/{REDACTED}/"),
        ("/de/invite/planted/", f"/de/invite/{REDACTED}/"),
        ("/unknown/path", "/unknown/path"),
        (f"/gone/reset/MQ/{DJANGO_TOKEN}/", f"/gone/reset/MQ/{REDACTED}/"),
        (f"/gone/{'a1' * 16}", f"/gone/{REDACTED}"),
        (f"/gone/{'a1' * 16}%3D%3d/", f"/gone/{REDACTED}/"),
        (f"/gone/{SLUG}", f"/gone/{SLUG}"),
        (f"/gone/{UUID}", f"/gone/{UUID}"),
        ("*", "*"),
    ],
)  # fmt: skip
def test_redacted(path, redacted):
    """Values of secret-looking URL parameters, and query strings, are not shown."""
    assert redact_path(path) == redacted


@with_urls
@override_script_prefix("/shop/")
def test_below_a_script_name():
    """A path below SCRIPT_NAME is matched without it."""
    redacted = redact_path("/shop/accounts/reset/MQ/planted/")
    assert redacted == f"/shop/accounts/reset/{REDACTED}/{REDACTED}/"


@with_urls
@override_script_prefix("/shop/")
def test_beside_a_script_name():
    """A path that does not begin with SCRIPT_NAME is matched as it is."""
    redacted = redact_path("/accounts/reset/MQ/planted/")
    assert redacted == f"/accounts/reset/{REDACTED}/{REDACTED}/"


def test_urlconf_of_the_request():
    """The URLconf that a middleware has set for the request counts."""
    set_urlconf("tests.logging.urls")
    try:
        redacted = redact_path("/accounts/reset/MQ/planted/")
    finally:
        set_urlconf(None)
    assert redacted == f"/accounts/reset/{REDACTED}/{REDACTED}/"


def test_urlconf_of_a_request_that_nothing_has_resolved():
    """That which a request brings counts before any that is set."""
    set_urlconf("tests.urls")
    try:
        redacted = redact_path("/accounts/reset/MQ/planted/", "tests.logging.urls")
    finally:
        set_urlconf(None)
    assert redacted == f"/accounts/reset/{REDACTED}/{REDACTED}/"


@with_urls
def test_longest_path():
    """A path that is longer than servers take is not matched."""
    longest = "/accounts/confirm/".ljust(MAX_PATH - 1, "a") + "/"
    assert redact_path(longest) == f"/accounts/confirm/{REDACTED}/"
    longer = longest.replace("aa/", "aaa/")
    assert redact_path(longer) == longer


@override_settings(ROOT_URLCONF="tests.logging.no_such_module")
def test_broken_urlconf_costs_nothing():
    """Where the URLconf cannot be read, what looks like a token is hidden."""
    assert redact_path(f"/reset/MQ/{DJANGO_TOKEN}/") == f"/reset/MQ/{REDACTED}/"


def test_without_django(monkeypatch):
    """Where Django's URLs are not in use they are not imported for the sake of a path."""
    monkeypatch.delitem(sys.modules, "django.urls")
    assert redact_path(f"/reset/MQ/{DJANGO_TOKEN}/?a") == f"/reset/MQ/{REDACTED}/"
    assert "django.urls" not in sys.modules
