"""The rules for ``manage.py check --deploy``."""

import pytest
from django.test import override_settings

from tests.system_checks import sentences


@pytest.mark.parametrize(
    ("setting", "id_"),
    [
        ({"DOCKERFLOW_HEARTBEAT_DETAILS": "always"}, "dockerflow.W012"),
        ({"DOCKERFLOW_ERROR_ENDPOINT": True}, "dockerflow.W013"),
    ],
)
def test_what_is_open_to_everyone_is_told(setting: dict[str, object], id_: str) -> None:
    """Details for everyone and an endpoint that raises are for development (D12)."""
    with override_settings(**setting):
        assert len(sentences(id_, deploy=True)) == 1
        assert sentences(id_) == []
    assert sentences(id_, deploy=True) == []


@pytest.mark.parametrize("details", ["debug", "never", lambda request: True])
def test_details_that_somebody_decides_on_are_well(details: object) -> None:
    """A callable knows whom it lets see them."""
    with override_settings(DOCKERFLOW_HEARTBEAT_DETAILS=details):
        assert sentences("dockerflow.W012", deploy=True) == []
