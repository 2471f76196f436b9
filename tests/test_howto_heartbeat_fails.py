"""The runbook of `docs/howto/heartbeat-fails.rst` has an entry for each id, and each says all."""

import pytest
from docutils import nodes

from dockerflow_django import health
from tests.documents import ROOT, read

PREFIX = "dockerflow.health."
IDS = {value for value in vars(health).values() if str(value).startswith(PREFIX)}
ENTRIES = {
    section[0].astext().partition(":")[0]: section
    for section in read(ROOT / "docs/howto/heartbeat-fails.rst").findall(nodes.section)
    if section[0].astext().startswith(PREFIX)
}


def test_every_id_has_an_entry():
    """And every entry is of an id that the app has."""
    assert ENTRIES.keys() == IDS


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_an_entry_says_cause_look_and_mend(name):
    """In that order, one after the other."""
    items = ENTRIES[name].findall(nodes.list_item)
    assert [item.astext().partition(":")[0] for item in items] == ["Cause", "Look", "Mend"]
