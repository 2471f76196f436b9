"""The project's own fields in its summaries."""

import logging

import pytest
from django.test import override_settings

from dockerflow_django import extra_fields
from tests.summaries import WORLDS, answering, ask, asked, recorded, serving

PATH_OF_FIELDS = "tests.test_extra_fields.tenant"


@pytest.fixture(params=WORLDS)
def world(request):
    return request.param


@pytest.fixture(autouse=True)
def _anew():
    extra_fields._failed.clear()
    yield
    extra_fields._failed.clear()


def tenant(request, response):
    return {"tenant": request.META["HTTP_X_TENANT"], "kind": response["Content-Type"]}


def raising(request, response):
    raise LookupError("no tenant")


def greedy(request, response):
    return {"code": 1, "uid": 3, "args": 1, "message": "m", 7: "seven"}


@override_settings(DOCKERFLOW_SUMMARY_EXTRA=PATH_OF_FIELDS)
def test_fields_from_request_and_response(world):
    """The function sees both, and its fields stand beside ours."""
    summary = asked(world, answering(), headers={"X-Tenant": "acme"})
    assert (summary.tenant, summary.kind) == ("acme", "text/html; charset=utf-8")
    assert summary.code == 200


@override_settings(DOCKERFLOW_SUMMARY_EXTRA=greedy)
def test_ours_are_not_overwritten(world):
    """A field of ours that is there stays, one that is not is the project's to give."""
    summary = asked(world, answering())
    assert (summary.code, summary.uid) == (200, 3)


@override_settings(DOCKERFLOW_SUMMARY_EXTRA=greedy)
def test_names_of_log_records_get_a_prefix(world):
    """`logging` refuses them; here they are kept."""
    fields = vars(asked(world, answering()))
    assert (fields["fields.args"], fields["fields.message"], fields["7"]) == (1, "m", "seven")
    assert fields["args"] == ()


@pytest.mark.parametrize("target", [raising, len, "tests.test_extra_fields.missing", dict])
def test_function_that_raises_costs_its_fields_only(world, target):
    """The summary is there, and the log says so once."""
    view = answering()
    with serving(view, DOCKERFLOW_SUMMARY_EXTRA=target), recorded() as records:
        for _ in range(3):
            assert ask(world).status_code == 200
    assert [record.code for record in records.summaries] == [200] * 3
    (complaint,) = records.of("dockerflow_django")
    assert complaint.levelno == logging.ERROR
    assert complaint.exc_info
    assert "DOCKERFLOW_SUMMARY_EXTRA" in complaint.getMessage()


@override_settings(
    DOCKERFLOW_SUMMARY_EXTRA=lambda request, response: {"status": response.status_code}
)
def test_request_without_a_response_has_the_fields_too(world):
    """Where an exception leaves Django the function gets an empty response of that status."""

    def view(request):
        raise RuntimeError("broken")

    with (
        serving(view, DEBUG_PROPAGATE_EXCEPTIONS=True),
        recorded() as records,
        pytest.raises(RuntimeError),
    ):
        ask(world)
    assert records.summary.status == 500
