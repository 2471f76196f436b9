"""Who bears the token, and who does not."""

import pytest

from dockerflow_django.client.bearer_token import bears_token


@pytest.mark.parametrize(
    ("authorization", "is_right"),
    [
        ("Bearer a b?", True),
        ("bearer a b?", True),
        ("BEARER   a b?  ", True),
        ("Bearer a b", False),
        ("Bearer a b??", False),
        ("Bearer", False),
        ("Bearer ", False),
        ("a b?", False),
        ("Basic a b?", False),
        ("Bearer a b\udcff", False),
        ("Bearer a b\xff", False),
        ("Bearer \N{FULLWIDTH LATIN SMALL LETTER A} b?", False),
        ("", False),
        (None, False),
    ],
)
def test_the_token_is_compared_as_bytes(authorization: str | None, is_right: bool) -> None:
    """Whatever a client sends is right or wrong, and raises nothing."""
    assert bears_token(authorization, "a b?") is is_right
    assert bears_token(authorization, None) is False
    assert bears_token(authorization, "") is False
