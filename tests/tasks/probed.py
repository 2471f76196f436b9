"""What a background worker's probes say: in their file, and on their port."""

from pathlib import Path

from dockerflow_django.client import probe_file
from tests.harness import http


def outcomes(path: Path) -> dict[str, str]:
    """Return each probe's outcome."""
    found: dict[str, str] = probe_file.read(str(path))["probes"]
    return found


def status(address: http.Address, probe: str) -> int:
    """Return the status with which a probe answers."""
    return http.request(address, "GET", f"/__heartbeat__/{probe}").status
