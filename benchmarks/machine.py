"""On what the figures are measured."""

import os
import platform
from pathlib import Path


def machine() -> str:
    """Name the cores, the processor and the system: a figure is true of these.

    The system's release is left out: it names a build.
    """
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores of {_processor()}, {platform.system()}"


def _processor() -> str:
    """Return the model as Linux names it, which not every kind of machine has."""
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"model name", "Model"} and value.strip():
            return value.strip()
    return platform.processor() or platform.machine()
