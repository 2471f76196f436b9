"""What is written about the message summary is what it has."""

import logging

from dockerflow_django.tasks.amqp import record
from tests.documents import ROOT, tables_in

FIELDS, STATES = tables_in(ROOT / "docs" / "reference" / "message-summary.rst")


def test_fields():
    """Each field has a row, in their order, and each row is complete."""
    kinds = {int: "integer", str: "text", bool: "boolean"}
    annotations = record.Fields.__annotations__
    assert [row[0] for row in FIELDS] == sorted(annotations)
    assert all(all(row) for row in FIELDS)
    assert {row[0]: row[1] for row in FIELDS} == {
        name: kinds[kind] for name, kind in annotations.items()
    }


def test_states():
    """Each state has a row with its level."""
    levels = {row[0]: logging.getLevelNamesMapping()[row[1]] for row in STATES}
    assert levels == record.LEVELS
