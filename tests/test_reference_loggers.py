"""The reference has each logger that the app writes to."""

import ast
from pathlib import Path

import dockerflow_django
from tests.documents import ROOT, tables_in
from tests.test_reference_environment import values_of

PACKAGE = Path(dockerflow_django.__path__[0])
(LOGGERS,) = tables_in(ROOT / "docs" / "reference" / "logging.rst")
# Its name is written in another module.
SHARED = {"SUMMARY_LOGGER": {"request.summary"}}


def named_in(path):
    """Return the names that a module gives to the logger that it keeps."""
    tree = ast.parse(path.read_text("utf-8"))
    module = "dockerflow_django." + ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith(
            "logging.getLogger("
        ):
            name = node.value.args[0]
            if ast.unparse(name) == "__name__":
                yield module
            else:
                yield from values_of(name, tree) or SHARED[ast.unparse(name)]


def test_every_logger_is_described():
    """Each has a row, and no row is of another."""
    modules = [path for path in PACKAGE.rglob("*.py") if "project" not in path.parts]
    assert {row[0] for row in LOGGERS} == {name for path in modules for name in named_in(path)}
