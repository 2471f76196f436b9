"""What is written about the summary is what it has, and what servers let it know."""

from dockerflow_django.logging.content import MESSAGE
from dockerflow_django.logging.description import MAX_LENGTH
from dockerflow_django.summary.fields import MAX_AGENT, Fields
from dockerflow_django.summary.verdict import CLIENT_CLOSED_REQUEST
from tests.documents import ROOT, tables_in
from tests.servers.summaries import ASGI, KINDS, SHORT_BODIES

REFERENCE = ROOT / "docs" / "reference" / "summary.rst"
FIELDS, _LEVELS = tables_in(REFERENCE)
# Not one of `tests/servers/test_summary_clients.py`: `tests/servers/test_uwsgi.py` looks at it.
UWSGI = "uwsgi"
(SERVERS,) = tables_in(ROOT / "docs" / "explanation" / "client-gone.rst")


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


def test_what_is_known_of_a_client_that_has_gone():
    """The table has a row for each server, as the tests of that server see it."""
    names = [row[0].lower().replace(", ", "-") for row in SERVERS]
    assert sorted(names) == sorted([*KINDS, UWSGI])
    assert [row[1:] for row in SERVERS] == [cells_of(name) for name in names]


def cells_of(kind: str) -> list[str]:
    known, unknown = str(CLIENT_CLOSED_REQUEST), "the view's"
    if kind in ASGI:
        return [known, known, unknown, unknown, "no record"]
    return [unknown, known, unknown, unknown, unknown if kind in SHORT_BODIES else "500"]
