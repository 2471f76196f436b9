"""Times and lengths as people read them."""

import pytest

from dockerflow_django.endpoints.page.rendering import _duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0 ms"),
        (0.0012, "1.2 ms"),
        (0.0123, "12 ms"),
        (1.25, "1.2 s"),
        (119, "119 s"),
        (120, "2.0 min"),
        (7199, "120 min"),
        (7200, "2 h"),
        (86400 * 3, "3 days"),
    ],
)
def test_durations_have_the_unit_that_suits(seconds: float, text: str):
    """Two digits or so are enough, in a unit that keeps them."""
    assert _duration(seconds) == text
