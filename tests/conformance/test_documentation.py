"""The reference names every requirement, and the commands that the documents show exist."""

import argparse

import pytest

from dockerflow_django.conformance import command
from dockerflow_django.conformance.dockerfile.recommendations import RECOMMENDATIONS
from dockerflow_django.conformance.dockerfile.requirements import REQUIREMENTS
from dockerflow_django.conformance.endpoints import SERVICE
from dockerflow_django.conformance.manifests.judgement import COMPOSE, KUBERNETES, MANIFESTS
from dockerflow_django.conformance.manifests.probes import is_service
from tests.documents import ROOT, blocks, tables_in
from tests.shell import commands_in

SUBJECTS = [
    SERVICE,
    [*REQUIREMENTS, *RECOMMENDATIONS],
    [*MANIFESTS, is_service, *KUBERNETES, *COMPOSE],
]


def parser():
    whole = argparse.ArgumentParser()
    command.add_to(whole.add_subparsers())
    return whole


def test_reference():
    """The tables have every requirement, with its level, its text and its source."""
    _, *tables = tables_in(ROOT / "docs" / "reference" / "dockerflow-check.rst")
    expected = [
        list(
            dict.fromkeys((found.name, found.level, found.text, found.source) for found in subject)
        )
        for subject in SUBJECTS
    ]
    assert [[tuple(row) for row in table] for table in tables] == expected


def shown():
    for block in blocks("console", "shell"):
        for words in commands_in(block.text):
            if words[:2] == ["dockerflow", "check"]:
                yield pytest.param(words[1:], id=f"{block}: {' '.join(words)}")


@pytest.mark.parametrize("words", list(shown()))
def test_commands_in_the_documents(words):
    """Every command that a document shows takes its arguments."""
    parser().parse_args(words)


def test_every_requirement_is_complete():
    """A requirement has a source, and one that can fail tells the mend."""
    hidden = SERVICE[-4:]
    for found in {found for subject in SUBJECTS for found in subject}:
        assert found.source
        assert found.mend or found in hidden
