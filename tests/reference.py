"""What the pages of the reference describe, to be compared with the code."""

from tests.documents import ROOT, entries_in

PAGES = sorted((ROOT / "docs" / "reference").glob("*.rst"))


def described(*kinds):
    """Return what directives of these kinds describe on all pages, in order."""
    return [what for page in PAGES for kind, what in entries_in(page) if kind in kinds]
