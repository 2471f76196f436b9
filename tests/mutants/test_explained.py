"""Survivors are read from what mutmut shows, and compared with their explanations."""

import ast
from pathlib import Path

import pytest

import dockerflow_django
from tests.documents import ROOT
from tests.mutants.explained import FOLDER, Entry, Rule, as_entry, compare, explanations
from tests.mutants.mutants import Survivor, survivor
from tests.mutants.rooms import LEFT_OUT, ROOMS

PACKAGE = Path(dockerflow_django.__path__[0])
DIFFERENCE = """\
--- src/dockerflow_django/lifecycle.py
+++ src/dockerflow_django/lifecycle.py
@@ -3,5 +3,3 @@
     kept = (
-        "a"
-        "b"
+        None
     )
"""
CHANGED = Survivor("lifecycle.Lifecycle._ages", '"a" "b"', "None")


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("dockerflow_django.lifecycle.xǁLifecycleǁ_ages__mutmut_3", "lifecycle.Lifecycle._ages"),
        ("dockerflow_django.lifecycle.x__turn__mutmut_12", "lifecycle._turn"),
        ("dockerflow_django.logging.text.x_cut__mutmut_1", "logging.text.cut"),
    ],
)
def test_survivor(name, function):
    """Functions have their ordinary names, and several lines become one."""
    assert survivor(name, DIFFERENCE) == Survivor(function, CHANGED.before, CHANGED.after)


def test_unexplained():
    """A survivor is explained by an entry for the same change only, or by a rule that matches."""
    entry = Entry(CHANGED.function, CHANGED.before, CHANGED.after, "It is the same.")
    other = Survivor(CHANGED.function, CHANGED.before, '"XXaXX" "b"')
    assert compare([CHANGED, other], [entry]) == ([other], [])
    assert compare([CHANGED, other], [Rule("Words.", is_text=True)]) == ([CHANGED], [])
    assert compare([CHANGED, other], [Rule("All.", function=r"lifecycle\..*")]) == ([], [])
    assert compare([CHANGED], [Rule("None.", after="N")])[0] == [CHANGED]


def test_needless():
    """An explanation of what is killed is told, and so is the second explanation of one thing."""
    entry = Entry(CHANGED.function, CHANGED.before, CHANGED.after, "It is the same.")
    rule = Rule("All.")
    assert compare([], [entry, rule]) == ([], [entry, rule])
    assert compare([CHANGED], [entry, rule]) == ([], [rule])


def test_entry_to_complete(tmp_path, monkeypatch):
    """What is printed of a survivor explains it, once it has a reason."""
    quoted = Survivor("lifecycle.f", "f\"{a or 'b'}\\n\"", "'\"'")
    monkeypatch.setattr("tests.mutants.explained.FOLDER", tmp_path)
    text = "\n".join(map(as_entry, (CHANGED, quoted)))
    (tmp_path / "lifecycle.toml").write_text(text)
    assert compare([CHANGED, quoted], explanations("lifecycle")) == ([], [])


def test_every_file_is_of_a_room():
    assert {path.stem for path in FOLDER.iterdir()} <= ROOMS.keys()


@pytest.mark.parametrize("test", [test for tests in LEFT_OUT.values() for test in tests])
def test_what_is_left_out_exists(test):
    """A name to deselect that it does not know is nothing to pytest."""
    path, _, name = test.partition("::")
    assert f"def {name}(" in (ROOT / path).read_text("utf-8") if name else (ROOT / path).is_file()


@pytest.mark.parametrize("room", ROOMS)
def test_reasons(room):
    """Every explanation has a sentence for its reason."""
    for each in explanations(room):
        assert each.reason.endswith("."), each


@pytest.mark.parametrize("room", ROOMS)
def test_lines_exist(room):
    """Every entry is of a line that its function has."""
    functions = dict(_functions(room))
    for each in explanations(room):
        if isinstance(each, Entry):
            assert each.before in functions[each.function], each


def _functions(room):
    """Yield the name and the text, as one line, of every function and method of the room."""
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] == room:
            source = path.read_text("utf-8")
            tree = ast.parse(source)
            classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
            for owner in (tree, *classes):
                prefix = [part for part in parts if part != "__init__"]
                prefix += [owner.name] if owner in classes else []
                for node in owner.body:
                    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                        text = ast.get_source_segment(source, node)
                        yield ".".join([*prefix, node.name]), " ".join(text.split())
