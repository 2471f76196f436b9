"""Read YAML documents from files, folders or standard input: any mapping, whatever its tags."""

from __future__ import annotations

import json
import os.path
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SUFFIXES = {".yaml", ".yml", ".json"}
STANDARD_INPUT = "-"
MOST_VALUES = 1_000_000
# What PyYAML raises for a value that its tag does not allow, such as ``!!timestamp soon``.
_MISFITS = (AttributeError, LookupError, TypeError)


class UnreadableError(Exception):
    """A manifest cannot be read: the text is one line for people."""


@dataclass(frozen=True)
class Document:
    """One document of a file, and the file's name; the folder is what its paths are relative to."""

    name: str
    content: dict[str, Any]
    folder: Path


def read_documents(paths: list[str]) -> list[Document]:
    """Return every mapping in these files; raise UnreadableError if one cannot be read."""
    return [document for path in paths for file in _files(path) for document in _read(file)]


def _files(path: str) -> Iterator[str]:
    folder = Path(path)
    if path == STANDARD_INPUT or not folder.is_dir():
        yield path
        return
    files = sorted(file for file in folder.rglob("*") if _is_manifest(file))
    if not files:
        raise UnreadableError(f"{path}: no .yaml, .yml or .json file is in there")
    yield from map(str, files)


def _is_manifest(path: Path) -> bool:
    """Tell a file from a folder called so, and from a link into nowhere, as Emacs leaves some."""
    # `Path.is_file` raises for what may not be looked at.
    return path.suffix in SUFFIXES and os.path.isfile(path)  # noqa: PTH113


def _read(file: str) -> Iterator[Document]:
    is_input = file == STANDARD_INPUT
    name = "standard input" if is_input else file
    folder = Path() if is_input else Path(file).parent
    try:
        text = sys.stdin.read() if is_input else Path(file).read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError(f"{name}: not a text in UTF-8") from None
    except OSError as error:
        raise UnreadableError(f"{name}: {error.strerror}") from None
    for content in _parse(name, text):
        if isinstance(content, dict):
            yield Document(name, content, folder)


def _parse(name: str, text: str) -> list[Any]:
    try:
        import yaml
    except ModuleNotFoundError:
        raise UnreadableError(
            "manifests need PyYAML: pip install 'dockerflow-django[check]'"
        ) from None

    class Loader(yaml.SafeLoader):
        """Read tags that are other programs', such as Compose's ``!reset``, as if absent."""

    Loader.add_multi_constructor("!", _untagged)
    Loader.add_multi_constructor("tag:yaml.org,2002:value", _untagged)  # a plain =
    try:
        found = _json(text) or list(yaml.load_all(text, Loader))
        size = _size(found, {})
    except (yaml.YAMLError, ValueError, RecursionError, *_MISFITS) as error:
        raise UnreadableError(_fault(name, text, error)) from None
    if size > MOST_VALUES:
        raise UnreadableError(f"{name}: more than {MOST_VALUES} values with its aliases in place")
    return found


def _json(text: str) -> list[Any]:
    """Return the document if the text is JSON: PyYAML knows no tabs."""
    try:
        return [json.loads(text)]
    except (ValueError, RecursionError):
        return []


def _size(value: Any, known: dict[int, float]) -> float:
    """Return how many values there are if each alias is replaced by what it stands for."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = float("inf")  # for a value that holds itself
        items = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_size(item, known) for item in items)
    return known[id(value)]


def _untagged(loader: Any, suffix: str, node: Any) -> Any:
    kind = type(node).__name__
    if kind == "MappingNode":
        return loader.construct_mapping(node, deep=True)
    if kind == "SequenceNode":
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


def _fault(name: str, text: str, error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
    problem = getattr(error, "problem", None) or str(error) or type(error).__name__
    if isinstance(error, _MISFITS):
        problem = "a value does not fit its tag"
    hint = "; render the template first" if "{{" in text or "{%" in text else ""
    return f"{place}: not YAML: {' '.join(str(problem).split())}{hint}"
