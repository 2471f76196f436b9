"""What the pages of the reference describe, to be compared with the code."""

from docutils import nodes

from tests.documents import ROOT, entries_in, read

PAGES = sorted((ROOT / "docs" / "reference").glob("*.rst"))


ENTRIES = [entry for page in PAGES for entry in entries_in(page)]


def described(*kinds):
    """Return what entries of these kinds describe on all pages, in order."""
    return [entry.name for entry in ENTRIES if entry.kind in kinds]


def fields_by_term(page):
    """Return the fields below each term of the page's definition lists that has any."""
    found = {}
    for item in read(page).findall(nodes.definition_list_item):
        fields = {field[0].astext(): field[1].astext() for field in item.findall(nodes.field)}
        if fields:
            found[item[0].astext()] = fields
    return found
