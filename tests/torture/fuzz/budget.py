"""How many examples a fuzz has: a fixed number, without a random seed."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy


def fuzz(
    examples: int, run: Callable[..., None], **strategies: SearchStrategy[Any]
) -> dict[str, int]:
    """Call `run` with so many examples, and return the figure that says so.

    A failure is shrunk, and shown with the example.
    """

    @settings(
        database=None,
        deadline=None,
        derandomize=True,
        max_examples=examples,
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(**strategies)
    def one(**drawn: Any) -> None:
        run(**drawn)

    one()
    return {"examples": examples}
