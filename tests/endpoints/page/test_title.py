"""What the title says: the one thing that is read from across the room."""

import pytest
from django.test import Client

from dockerflow_django import lifecycle
from tests.endpoints.page.conftest import BROWSER
from tests.endpoints.page.states import BROKER, READY, STATES, State, check_of

GOOD, BAD = check_of("check_good"), check_of("check_bad", BROKER)


def title_of(client: Client, state: State) -> str:
    with state.entered():
        body = client.get("/__heartbeat__", headers=BROWSER).content.decode()
    title = body.partition("<title>")[2].partition("</title>")[0]
    assert f"<h1>{title}</h1>" in body.replace("<wbr>", "")
    return title


@pytest.mark.parametrize(
    ("listed", "title"),
    [
        ([], "No check is configured"),
        ([GOOD], "The only check passes"),
        ([BAD], "The only check fails"),
        ([GOOD] + [check_of(f"check_{n}") for n in range(9)], "All 10 checks pass"),
        ([BAD] + [check_of(f"check_{n}") for n in range(9)], "1 of 10 checks fails"),
        (
            [check_of(f"check_bad_{n}", BROKER) for n in range(4)]
            + [check_of(f"check_{n}") for n in range(6)],
            "4 of 10 checks fail",
        ),
    ],
)
def test_failing_checks_are_counted(client: Client, listed: list, title: str):
    """The number that fails, of how many; the sentence is English for one and for none."""
    state = State({"DOCKERFLOW_CHECKS": listed, "DOCKERFLOW_PROBES": READY})
    assert title_of(client, state) == title


def test_probe_that_fails_alone_is_named(client: Client):
    """Nobody reads that all is well while no request arrives."""
    state = State(
        {"DOCKERFLOW_CHECKS": [GOOD, GOOD], "DOCKERFLOW_PROBES": READY},
        lambda: lifecycle.set_ready(False, "closed"),
    )
    assert title_of(client, state) == "The only check passes, but readiness fails"
    title = title_of(client, STATES["starting and draining"])
    assert title == "All 4 checks pass, but readiness and startup fail"


def test_setting_that_cannot_be_read_is_named(client: Client):
    """It is no check that fails: none of those that were meant has run."""
    title = title_of(client, STATES["unreadable configuration"])
    assert title == "DOCKERFLOW_CHECKS cannot be read"
