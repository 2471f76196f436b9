"""A row of the table: what was measured, the ratio, and what it should reach."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One ratio; `measured` says the times behind it."""

    what: str
    ratio: float
    target: float
    measured: str

    @property
    def reached(self) -> bool:
        """Whether the ratio is at or below the target."""
        return self.ratio <= self.target


def microseconds(seconds: float) -> str:
    """Write a short time."""
    return f"{seconds * 1e6:.2f} µs"
