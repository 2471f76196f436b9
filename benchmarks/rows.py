"""A row of the table: what was measured, the ratio, and what it should reach."""

from dataclasses import dataclass
from typing import Literal

Better = Literal["low", "high"]


@dataclass(frozen=True)
class Row:
    """One figure: a ratio, or in `unit` a difference; `measured` says what is behind it.

    `key` names the row in what is recorded. `spread` is how far the rounds of the run lie from
    their median, in the figure's own unit: half of them nearer.
    """

    key: str
    what: str
    ratio: float
    target: float
    measured: str
    spread: float = 0.0
    better: Better = "low"
    unit: str = ""

    @property
    def reached(self) -> bool:
        """Whether the target is reached, or better."""
        return self.ratio <= self.target if self.better == "low" else self.ratio >= self.target


def microseconds(seconds: float) -> str:
    """Write a short time."""
    return f"{seconds * 1e6:.2f} µs"
