"""The pictures of the documentation."""

import re
import struct
from pathlib import Path

import pytest

from tests.documents import DOCUMENTS, ROOT, name_of

IMAGES = ROOT / "docs" / "images"
PICTURES = sorted(path.name for path in IMAGES.glob("*.png"))
DIRECTIVE = re.compile(r"^( *)\.\. (?:image|figure):: (\S+)\n((?:\1   +\S.*\n)*)", re.MULTILINE)
PALETTE = 3


def shown(page: Path) -> list[tuple[str, str]]:
    """Return each picture's address and options."""
    return [(found[2], found[3]) for found in DIRECTIVE.finditer(page.read_text())]


@pytest.mark.parametrize("page", DOCUMENTS, ids=name_of)
def test_every_picture_has_a_text_for_those_who_do_not_see_it(page: Path):
    """It is a sentence, which says what there is to see."""
    for address, options in shown(page):
        alternative = re.search(r":alt: (.+)", options)
        assert alternative, address
        assert len(alternative[1].split()) > 5, address


def test_every_picture_is_used():
    """A page shows it; what no page shows is not kept."""
    used = {Path(address).name for page in DOCUMENTS for address, _ in shown(page)}
    assert len(PICTURES) > 3
    assert set(PICTURES) <= used


@pytest.mark.parametrize("page", DOCUMENTS[1:], ids=name_of)
def test_pictures_that_are_shown_are_there(page: Path):
    """No page shows one from elsewhere."""
    assert all((page.parent / address).is_file() for address, _ in shown(page))


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_small(name: str):
    """They are below 150 kB and have a palette."""
    data = (IMAGES / name).read_bytes()
    assert len(data) < 150_000
    width, height, depth, colour_type = struct.unpack(">IIBB", data[16:26])
    assert (depth <= 8, colour_type) == (True, PALETTE)
    assert min(width, height) > 100
