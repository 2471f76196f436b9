"""Count what somebody must know of the house: ``python -m tests.house``.

Rooms are the modules and packages on the package's root. What lies on the way of a request or a
probe is counted while one is answered: the modules and the types whose code runs.
"""

import ast
import os
import statistics
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

PACKAGE = "dockerflow_django"


def main() -> None:
    """Print the figures, one a line."""
    import dockerflow_django

    root = Path(dockerflow_django.__path__[0])
    for name, value in {**figures(root), **ways(root)}.items():
        print(f"{name}: {value}")


def figures(root: Path) -> dict[str, object]:
    """Count the rooms, the imports between them, and the lines of the functions."""
    files = sorted(path for path in root.rglob("*.py") if "project" not in path.parts)
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in files}
    lengths = sorted(length for tree in trees.values() for length in lengths_in(tree))
    return {
        "modules on the root": len([p for p in root.glob("*.py") if p.stem != "__init__"]),
        "rooms": len(rooms(root)),
        "imports between rooms": len(edges(root)),
        "files": len(files),
        "lines": sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files),
        "functions": len(lengths),
        "median function": statistics.median(lengths),
        "90th percentile": lengths[len(lengths) * 9 // 10],
        "longest function": lengths[-1],
    }


def rooms(root: Path) -> set[str]:
    """Return the names of the modules and packages on the root."""
    modules = {path.stem for path in root.glob("*.py")} - {"__init__"}
    return modules | {path.parent.name for path in root.glob("*/__init__.py")}


def edges(root: Path) -> set[tuple[str, str]]:
    """Return every pair of a room and another that one of its modules imports, anywhere in it."""
    known = rooms(root)
    found = set()
    for path in root.rglob("*.py"):
        room = path.relative_to(root).parts[0].removesuffix(".py")
        if room in known and "project" not in path.parts:
            names = imported(ast.parse(path.read_text(encoding="utf-8")))
            found |= {(room, name) for name in names if name in known and name != room}
    return found


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the room of every import of ours."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
            yield (node.module or "").split(".")[1]
        elif isinstance(node, ast.Import):
            own = [a.name for a in node.names if a.name.startswith(f"{PACKAGE}.")]
            yield from (name.split(".")[1] for name in own)


def lengths_in(tree: ast.AST) -> Iterator[int]:
    """Yield how many lines each function has, its decorators and its docstring not counted."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            yield (node.end_lineno or 0) - first.lineno + 2


class Way:
    """Notes whose code runs, in every thread, while it is entered."""

    def __init__(self, root: Path) -> None:
        self._root = f"{root}{os.sep}"
        self.modules: set[str] = set()
        self.types: set[str] = set()

    def __enter__(self) -> "Way":
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or code.co_name == "<module>":
            return
        if code.co_filename.startswith(self._root):
            self.modules.add(code.co_filename.removeprefix(self._root))
        kind = type(frame.f_locals.get("self"))
        if kind.__module__.startswith(f"{PACKAGE}."):
            self.types.add(f"{kind.__module__}.{kind.__qualname__}")


def ways(root: Path) -> dict[str, object]:
    """Answer a request and a probe as a process does that serves, and count what runs."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings

    with TemporaryDirectory() as folder:
        # In a file: the checks have a connection of their own.
        settings.DATABASES["default"]["NAME"] = str(Path(folder, "db.sqlite3"))
        django.setup()
        return counted(root)


def counted(root: Path) -> dict[str, object]:
    """Migrate, ask, and count."""
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    found: dict[str, object] = {}
    for name, path in (("request", "/plain/"), ("probe", "/__heartbeat__/readiness")):
        with Way(root) as way:
            response = Client().get(path)
        found[f"status of the {name}"] = response.status_code
        found[f"modules on the way of a {name}"] = len(way.modules)
        found[f"types on the way of a {name}"] = len(way.types)
        if "--names" in sys.argv:
            print(*sorted(way.modules), *sorted(way.types), sep="\n")
    return found


if __name__ == "__main__":
    main()
