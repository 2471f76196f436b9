"""The end of the process that serves."""

import os
import sys

import pytest

from dockerflow_django.serve import run


def test_output_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left in a stream whose reader has gone is lost, and fails no exit."""
    reader, writer = os.pipe()
    with open(writer, "w") as stream:  # noqa: PTH123 - a descriptor
        os.close(reader)
        stream.write("last words")
        monkeypatch.setattr(sys, "stdout", stream)
        run._let_go_of_output()
        stream.flush()
        monkeypatch.undo()
