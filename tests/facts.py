"""What the repository says of itself, each from its one home: versions, extras, sessions."""

import ast
import tomllib

from tests.documents import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = set(PROJECT["optional-dependencies"])

_noxfile = ast.parse((ROOT / "noxfile.py").read_text("utf-8"))
SESSIONS = {
    node.name for node in _noxfile.body if isinstance(node, ast.FunctionDef) and node.decorator_list
}
MATRIX = next(
    ast.literal_eval(node.value)
    for node in _noxfile.body
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MATRIX"
)


def classified(framework):
    """Return the versions in classifiers like ``Framework :: Django``, the oldest first."""
    last = (line.removeprefix(f"{framework} :: ") for line in PROJECT["classifiers"])
    return [version for version in last if version[0].isdigit() and "." in version]
