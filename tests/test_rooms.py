"""The rooms of the package: who may import whom."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

import dockerflow_django
from tests import house
from tests.documents import ROOT, blocks_in

PACKAGE = Path(dockerflow_django.__path__[0])
# What the template holds is a project of its own.
FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if "project" not in path.parts]


def layers() -> list[str]:
    """Return the rooms that the contract of import-linter names."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (found,) = [each for each in contracts["contracts"] if each["type"] == "layers"]
    names = [name.strip() for layer in found["layers"] for name in layer.split("|")]
    return [name.removeprefix("dockerflow_django.") for name in names]


def test_contract_names_every_room_once():
    """import-linter knows nothing of a room that its layers leave out."""
    assert sorted(layers()) == sorted(house.rooms(PACKAGE))


@pytest.mark.parametrize(
    "path",
    [p for p in sorted(PACKAGE.rglob("*.py")) if "project" not in p.parts],
    ids=lambda p: p.stem,
)
def test_no_room_reaches_into_anothers_private_names(path):
    """A name with an underscore is its module's; a room's modules may share one."""
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dockerflow_django"):
            theirs = (node.module or "").split(".")[1:2] or [""]
            private = [a.name for a in node.names if a.name.startswith("_") and a.name != "_state"]
            assert theirs == [room] or not private, (path, private)


@pytest.mark.parametrize("room", sorted(PACKAGE.glob("*/__init__.py")), ids=lambda p: p.parent.name)
def test_each_room_says_what_it_is_for(room):
    assert ast.get_docstring(ast.parse(room.read_text("utf-8")))


@pytest.mark.parametrize(
    "room", [path for path in FILES if path.name == "__init__.py"], ids=lambda p: p.parent.name
)
def test_a_list_of_modules_names_each_once(room):
    """A room whose docstring lists modules leaves none out, and names none that has gone."""
    text = ast.get_docstring(ast.parse(room.read_text("utf-8"))) or ""
    listed = re.findall(r"(?:^|· )``(\w+)``", text, re.MULTILINE)
    modules = [path.stem for path in room.parent.glob("*.py") if path != room]
    rooms = [path.parent.name for path in room.parent.glob("*/__init__.py")]
    assert not listed or sorted(listed) == sorted(modules + rooms)


def test_map_names_files_and_functions_that_exist():
    """Whoever follows a request or a probe through the map finds each step."""
    text = (ROOT / "docs/contributing.rst").read_text("utf-8")
    text = text[text.index("A request, step by step") : text.index("Tests\n-----")]
    files = set(re.findall(r"``([a-z_]+(?:/[a-z_]+)*(?:/|\.py))``", text))
    assert len(files) > 20
    assert {name for name in files if not (PACKAGE / name).exists()} == set()
    for name, file in re.findall(r"``(\w+)`` in ``([a-z_/]+\.py)``", text):
        assert re.search(
            rf"^(async )?(def|class) {name}\b", (PACKAGE / file).read_text(), re.MULTILINE
        )


def test_map_draws_every_room():
    (drawing,) = [b for b in blocks_in(ROOT / "docs/contributing.rst") if "__main__" in b.text]
    assert house.rooms(PACKAGE) - set(re.findall(r"\w+", drawing.text)) == set()
