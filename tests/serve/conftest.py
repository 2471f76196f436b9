"""Start instances that end with the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.harness.project import Project
from tests.harness.served import Served


@pytest.fixture
def served(project: Project) -> Iterator[Callable[..., Served]]:
    """Start an instance with the options and arguments of ``Served``."""
    with ExitStack() as stack:

        def start(*options: str, project: Project = project, **more: Any) -> Served:
            return stack.enter_context(Served(project, *options, **more))

        yield start
