"""The page that asks again by itself, without a script."""

import pytest
from django.test import Client

from dockerflow_django.endpoints.page.response import refresh_seconds
from tests.endpoints.page.conftest import BROWSER


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ("refresh=10", 10),
        ("a=b&refresh=60&c=d", 60),
        ("refresh=0", 5),
        ("refresh=1", 5),
        ("refresh=999999999", 300),
        ("", None),
        ("refresh=", None),
        ("refresh=-1", None),
        ("refresh=1e3", None),
        ("refresh=10;url=https://example.com", None),
        ("refresh=10%3Burl%3Dhttps%3A%2F%2Fexample.com", None),
        ("refresh=%D9%A1%D9%A0", None),
        ("refresh=\u0661\u0660", None),
        ("refresh=9999999999", None),
        ("norefresh=10", None),
        ("&".join(f"n{n}=1" for n in range(2_000)), None),
    ],
)
def test_only_a_number_counts_and_only_within_bounds(query: str, seconds: int | None):
    """Nothing but the number goes from the query to the page."""
    assert refresh_seconds(query) == seconds


@pytest.mark.usefixtures("shown")
def test_query_switches_it_on_and_a_link_off(client: Client):
    """Both ways are links; without the query nothing is asked by itself."""
    still = client.get("/__heartbeat__", headers=BROWSER).content.decode()
    assert 'http-equiv="refresh"' not in still
    assert '<a href="?refresh=10">Ask every 10 s</a>' in still
    asking = client.get("/__heartbeat__?refresh=1", headers=BROWSER).content.decode()
    assert '<meta http-equiv="refresh" content="5">' in asking
    assert '<a href="?">Stop asking every 5 s</a>' in asking


@pytest.mark.usefixtures("shown")
def test_a_query_of_many_names_is_no_error(client: Client):
    """The JSON does not look at the query, and the page does not refuse what the JSON answers."""
    query = "&".join(f"n{n}=1" for n in range(2_000))
    assert client.get(f"/__heartbeat__?{query}", headers=BROWSER).status_code == 500
