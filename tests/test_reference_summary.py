"""The reference of the summary has a row for each of its fields."""

from dockerflow_django.failure import MAX_LENGTH
from dockerflow_django.fields import MAX_AGENT, Fields
from dockerflow_django.logging.content import MESSAGE
from tests.documents import ROOT, tables_in

REFERENCE = ROOT / "docs" / "reference" / "summary.rst"
FIELDS, _LEVELS = tables_in(REFERENCE)


def test_fields():
    """Each field has a row, and no row is of another; the message comes last."""
    assert [row[0] for row in FIELDS] == [*sorted(Fields.__annotations__, key=str.lower), MESSAGE]


def test_each_row_is_complete():
    """Each row tells type, meaning, when the field is absent, and whether it is personal data."""
    assert {len(row) for row in FIELDS} == {5}
    assert all(all(row) for row in FIELDS)
    assert {row[1] for row in FIELDS} == {"text", "integer", "number", "list of texts"}


def test_lengths():
    """The lengths at which texts are cut are told."""
    told = {row[0]: row[2] for row in FIELDS}
    assert f"its first {MAX_AGENT} characters" in told["agent"]
    assert f"at most {MAX_LENGTH} characters" in told[MESSAGE]
