"""Lines that fit a terminal: folded between words, and left alone in a file or a pipe."""

import re
import shutil
from collections.abc import Iterator, Sequence

from django.core.management.base import OutputWrapper

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# Nothing can be read in less.
NARROWEST = 20
GAP = 2


def width_of(stream: OutputWrapper) -> int | None:
    """Return how many columns a terminal has; None stands for a file, whose lines may be long."""
    return max(NARROWEST, shutil.get_terminal_size().columns) if stream.isatty() else None


def fold(text: str, width: int | None, hanging: int = 0) -> Iterator[str]:
    """Yield the text in lines of that width; those after the first begin with `hanging` spaces.

    A word that is longer than a line stays whole, so that a path or an id can be copied. The white
    space that begins the text is kept. Colours take no room.
    """
    words = text.split(" ")
    line = words[0]
    for word in words[1:]:
        if width is None or not line.strip() or _length(line) + 1 + _length(word) <= width:
            line += f" {word}"
        else:
            yield line
            line = " " * hanging + word
    yield line


def table(rows: Sequence[tuple[str, ...]], width: int | None) -> Iterator[str]:
    """Yield the rows in columns; what does not fit beside the others comes below its row.

    A terminal that is hardly wider than the columns before the last gets rows without columns.
    """
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    before = sum(size + GAP for size in sizes[:-1]) + GAP
    beside = len(sizes) - 1
    if width is not None and width - before < NARROWEST // 2:
        sizes, beside = [0] * len(sizes), 1
    for row in rows:
        cells = [cell.ljust(size) for cell, size in zip(row, sizes, strict=True)]
        line = f"{' ' * GAP}{(' ' * GAP).join(cells)}".rstrip()
        if width is None or len(line) <= width or len(row) == 1:
            yield from fold(line, width, 2 * GAP)
        else:
            yield f"{' ' * GAP}{(' ' * GAP).join(cells[:beside])}".rstrip()
            below = (" " * GAP).join(filter(None, row[beside:]))
            yield from fold(f"{' ' * 3 * GAP}{below}", width, 3 * GAP)


def _length(text: str) -> int:
    return len(_COLOUR.sub("", text))
