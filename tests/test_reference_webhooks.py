"""The reference of the webhooks says what is sent, and its function verifies the signature."""

import json
import time

import pytest

from dockerflow_django.webhooks.payload import STATUSES, payload
from dockerflow_django.webhooks.sender import SIGNATURE_HEADER, WebhookSender, sign
from tests.documents import ROOT, blocks_in
from tests.harness.receiver import Receiver

REFERENCE = ROOT / "docs" / "reference" / "webhooks.rst"
SECRET = "s3cret"
BODY, SHOWN_HEADER, CODE = blocks_in(REFERENCE)


@pytest.fixture(scope="module")
def is_genuine():
    """Give the function that the page shows."""
    namespace = {}
    exec(compile(CODE.text, str(CODE), "exec"), namespace)
    return namespace["is_genuine"]


def test_what_is_sent_is_verified(is_genuine):
    """A receiver that uses it takes what the app sends, and only with the right secret."""
    with Receiver() as receiver:
        sender = WebhookSender(receiver.url, SECRET)
        sender.send({"type": "readiness"})
        sender.flush(5)
        (post,) = receiver.posts
    header = post.headers[SIGNATURE_HEADER]
    assert is_genuine(header, post.body, SECRET)
    assert not is_genuine(header, post.body, "another")
    assert not is_genuine(header, post.body + b" ", SECRET)


@pytest.mark.parametrize("seconds", [-400, 400])
def test_what_is_old_is_refused(is_genuine, seconds):
    """A message that is sent again later, or claims a time to come, is refused."""
    assert not is_genuine(sign(SECRET, b"{}", int(time.time()) + seconds), b"{}", SECRET)


@pytest.mark.parametrize("header", ["", "t", "t=", "t=x,v1=", "v1=00", "t=1,v1=é", "t=²,v1=00"])
def test_what_is_no_signature_is_refused(is_genuine, header):
    """Whatever a stranger sends is an answer, and no exception."""
    assert is_genuine(header, b"{}", SECRET) is False


def test_body():
    """The example has the keys and kinds of what is sent, and each key is explained."""
    shown = json.loads(BODY.text)
    messages = {
        "check_database_connected": {
            "dockerflow.health.E001": "Could not connect to database 'default'."
        }
    }
    sent = payload("readiness", "failed", messages, is_error=True, version="1.2.3")
    changing = {"podname", "timestamp"}
    assert list(shown) == list(sent)
    assert {key: type(value) for key, value in shown.items()} == {
        key: type(value) for key, value in sent.items()
    }
    assert {key: value for key, value in shown.items() if key not in changing} == {
        key: value for key, value in sent.items() if key not in changing
    }
    text = REFERENCE.read_text("utf-8")
    assert all(f"\n``{key}``\n" in text for key in sent)
    assert all(f'``"{status}"``' in text for status in (*STATUSES.values(), "warning"))


def test_header():
    """The header that is shown has the name and the form of the real one."""
    name, _, value = SHOWN_HEADER.text.partition(": ")
    assert name == SIGNATURE_HEADER
    assert [part.partition("=")[0] for part in value.split(",")] == ["t", "v1"]
