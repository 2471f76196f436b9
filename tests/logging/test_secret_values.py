"""Where a secret ends: with its quote, its bracket or its line, and not before."""

import json

import pytest

from dockerflow_django.logging.scrubbing import REDACTED, scrub


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        (r"password='hunter2\\' x", f"password={REDACTED} x"),
        (r"password='hunter2\\\' hunter2' x", f"password={REDACTED} x"),
        ("password=&quot;hunter2&quot; x", f"password={REDACTED} x"),
        ("password=&quot;hunter2 x", f"password={REDACTED} x"),
        ("password=%22hunter2%22&b=2", f"password={REDACTED}&b=2"),
        ("connect(token=SecretStr('hunter2 x'), b=1)", f"connect(token={REDACTED}, b=1)"),
        ("token=[hunter2\nnext", f"token={REDACTED}\nnext"),
        ("token=['hunter2'\nnext", f"token={REDACTED}\nnext"),
        ("token=[hunter2", f"token={REDACTED}"),
        ("token=['a]', 'hunter2'] x", f"token={REDACTED} x"),
        ("Cookie:\nHost: x", "Cookie:\nHost: x"),
    ],
)
def test_end(text, scrubbed):
    """What follows it stays."""
    assert scrub(text) == scrubbed


@pytest.mark.parametrize("times", [1, 2, 3])
def test_backslash_before_a_quote(times):
    """A string that ends with a backslash ends there, however often it was quoted."""
    text, shown = json.dumps({"pwd": "hunter2\\", "b": 2}), f'{{"pwd": {REDACTED}, "b": 2}}'
    for _ in range(times):
        text, shown = json.dumps(text), json.dumps(shown)
        assert scrub(text) == shown
