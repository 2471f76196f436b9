"""The runbook of `docs/howto/heartbeat-fails.rst` has an entry for each id, and each says all."""

import pytest
from docutils import nodes

from dockerflow_django import health
from tests.documents import ROOT, read

PREFIX = "dockerflow.health."
IDS = {value for value in vars(health).values() if str(value).startswith(PREFIX)}
ENTRIES = {
    item[0].astext().partition(":")[0]: item[-1].astext()
    for item in read(ROOT / "docs/howto/heartbeat-fails.rst").findall(nodes.definition_list_item)
}


def test_every_id_has_an_entry():
    """And every entry is of an id that the app has."""
    assert ENTRIES.keys() == IDS


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_an_entry_says_cause_look_and_mend(name):
    """In that order, one after the other."""
    words = [line.partition(":")[0] for line in ENTRIES[name].splitlines() if ":" in line]
    assert [word for word in words if word in {"Cause", "Look", "Mend"}] == [
        "Cause",
        "Look",
        "Mend",
    ]
