"""The reference of the checks has every message id."""

import re

from dockerflow_django import health
from tests.documents import ROOT
from tests.reference import fields_by_term

REFERENCE = ROOT / "docs" / "reference" / "checks.rst"
MESSAGE_ID = re.compile(r"dockerflow\.health\.[A-Z]\d{3}")


def test_every_id_is_explained_once():
    """Each id of `dockerflow_django.health` has an entry, with its constant, and no other has."""
    constants = {
        value: name for name, value in vars(health).items() if MESSAGE_ID.fullmatch(str(value))
    }
    told = fields_by_term(REFERENCE)
    assert {term: fields["Constant"] for term, fields in told.items()} == constants
    assert len(MESSAGE_ID.findall(REFERENCE.read_text("utf-8"))) == len(constants)


def test_each_entry_says_what_to_do():
    assert all(fields["What to do"] for fields in fields_by_term(REFERENCE).values())
