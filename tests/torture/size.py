"""How large a run is: ``--torture bounded`` for each change, ``--torture full`` for the proof."""

from typing import Literal, cast

import pytest

Size = Literal["bounded", "full"]


def size_of(config: pytest.Config) -> Size | None:
    """Return what the command line asks for, or None if this is no such run."""
    return cast("Size | None", config.getoption("--torture"))


def add_options(parser: pytest.Parser) -> None:
    group = parser.getgroup("torture")
    group.addoption("--torture", choices=["bounded", "full"], help="run tests/torture as well")
    group.addoption("--figures", metavar="PATH", help="keep the figures of tests/torture there")
    group.addoption("--plot", metavar="PATH", help="draw the soak there; needs matplotlib")
