"""The documentation as docutils reads it: its blocks of code, and what it mentions."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives, roles

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.rst", *sorted((ROOT / "docs").rglob("*.rst"))]

# What Sphinx knows and docutils does not; only the text in it matters here.
_DIRECTIVES = (
    "autoclass",
    "autodata",
    "autoexception",
    "autofunction",
    "autosummary",
    "benchmark-figures",
    "confval",
    "deprecated",
    "envvar",
    "option",
    "program",
    "py:attribute",
    "py:class",
    "py:currentmodule",
    "py:data",
    "py:exception",
    "py:function",
    "py:method",
    "py:module",
    "seealso",
    "versionadded",
    "versionchanged",
)
_ROLES = (
    *("confval", "djadmin", "doc", "download", "envvar", "option", "ref", "setting"),
    *("py:attr", "py:class", "py:data", "py:exc", "py:func", "py:meth", "py:mod"),
)


@dataclass(frozen=True)
class Block:
    """One block of code; `line` is where it begins in its file, `caption` may name a file."""

    document: str
    line: int
    language: str
    text: str
    caption: str = ""

    def __str__(self):
        return f"{self.document}:{self.line}"


def name_of(document):
    """Return a document's path as people write it."""
    return document.relative_to(ROOT).as_posix()


@cache
def blocks_in(document):
    """Return every block of code in a document, in order."""
    return [
        Block(
            name_of(document),
            node.get("line", node.line),
            node.get("language", ""),
            node.astext(),
            node.get("caption", ""),
        )
        for node in read(document).findall(nodes.literal_block)
    ]


@dataclass(frozen=True)
class Entry:
    """One directive that describes something; `members` are those of a class that it names."""

    kind: str
    name: str
    text: str
    members: tuple[str, ...] = ()


def entries_in(document):
    """Return each entry in order; an option's name begins with its program."""
    found, program = [], ""
    for node in read(document).findall(nodes.container):
        kind, name = node["directive"], node["described"]
        program = name if kind == "program" else program
        if kind == "option":
            name = f"{program} {name}"
        members = tuple(filter(None, node.get("members", "").split(", ")))
        found.append(Entry(kind, name, node.astext(), members))
    return found


def blocks(*languages):
    """Return every block in one of these languages, in all documents."""
    return [
        block
        for document in DOCUMENTS
        for block in blocks_in(document)
        if block.language in languages
    ]


def literals_in(document):
    """Return what the document's text shows as code."""
    return [node.astext() for node in read(document).findall(nodes.literal)]


def tables_in(document):
    """Return the text of each table's cells, row by row, without the heads."""
    return [
        [[cell.astext() for cell in row.findall(nodes.entry)] for row in body.findall(nodes.row)]
        for body in read(document).findall(nodes.tbody)
    ]


@cache
def read(document):
    """Return the document as a tree; raise at the first thing that docutils does not understand."""
    return publish_doctree(
        document.read_text("utf-8"),
        source_path=str(document),
        settings_overrides={"_disable_config": True, "halt_level": 2, "report_level": 2},
    )


class _Code(Directive):
    """A block of code, with Sphinx's options."""

    has_content = True
    optional_arguments = 1
    option_spec = dict.fromkeys(("caption", "emphasize-lines", "linenos"), directives.unchanged)

    def run(self):
        text = "\n".join(self.content)
        language = self.arguments[0] if self.arguments else ""
        line = self.content_offset + 1
        return [nodes.literal_block(text, text, language=language, line=line, **self.options)]


class _Content(Directive):
    """Any directive whose content is text like all other."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec = dict.fromkeys(
        ("default", "members", "no-value", "nosignatures", "type"), directives.unchanged
    )

    def run(self):
        described = self.arguments[0] if self.arguments else ""
        members = self.options.get("members", "")
        node = nodes.container(directive=self.name, described=described, members=members)
        self.state.nested_parse(self.content, self.content_offset, node)
        return [node]


class _Nothing(Directive):
    """A table of contents: Sphinx looks after it."""

    has_content = True
    option_spec = dict.fromkeys(("caption", "glob", "hidden", "maxdepth"), directives.unchanged)

    def run(self):
        return []


directives.register_directive("code-block", _Code)
directives.register_directive("toctree", _Nothing)
for _name in _DIRECTIVES:
    directives.register_directive(_name, _Content)
for _name in _ROLES:
    roles.register_generic_role(_name, nodes.inline)
