"""What is written about the task summary is what it has."""

import logging

from dockerflow_django.tasks import record
from tests.documents import ROOT, tables_in

REFERENCE = ROOT / "docs" / "reference"
FIELDS, STATES = tables_in(REFERENCE / "task-summary.rst")


def test_fields():
    """Each field has a row, in their order, and each row is complete."""
    assert [row[0] for row in FIELDS] == sorted(record.Fields.__annotations__)
    assert all(all(row) for row in FIELDS)
    kinds = {int: "integer", str: "text"}
    assert {row[0]: row[1] for row in FIELDS} == {
        name: kinds[kind] for name, kind in record.Fields.__annotations__.items()
    }


def test_states():
    """Each state has a row with its level."""
    levels = {row[0]: logging.getLevelNamesMapping()[row[1]] for row in STATES}
    assert levels == record.LEVELS
