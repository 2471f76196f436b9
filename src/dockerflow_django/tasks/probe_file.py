"""Write the outcomes of a worker's probes to ``DOCKERFLOW_PROBE_FILE``: whole, or not at all."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from dockerflow_django.client.life import boot_id, seconds_since_boot, started_at
from dockerflow_django.client.probe_file import StaleError, read

# A worker writes every second; on a busy machine a thread may wait for its turn.
VALID_SECONDS = 10.0


class ProbeFile:
    """The file at one path, which belongs to this process alone."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self._pid = os.getpid()
        self._draft = self.path.with_name(f".{self.path.name}.{self._pid}.{id(self):x}")
        self._life = {
            "boot_id": boot_id(),
            "pid": self._pid,
            "started": started_at(self._pid),
            "valid_for": VALID_SECONDS,
        }

    def owner(self) -> int | None:
        """Return the id of another process that runs and writes here; None if there is none."""
        with suppress(StaleError):
            pid: int = read(str(self.path))["pid"]
            return None if pid == self._pid else pid
        return None

    def write(self, outcomes: Mapping[str, str]) -> None:
        """Replace the file; whoever reads meanwhile finds the old one or the new one.

        Raises `OSError` if that cannot be done.
        """
        stated = {**self._life, "time": seconds_since_boot(), "probes": dict(outcomes)}
        self._draft.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        # An exec probe may run as another user, and there is nothing secret in it.
        descriptor = os.open(self._draft, flags, 0o644)
        try:
            os.write(descriptor, json.dumps(stated).encode())
        finally:
            os.close(descriptor)
        self._draft.replace(self.path)

    def remove(self) -> None:
        """Remove the file: a worker that has stopped passes no probe. A forked child does not."""
        if os.getpid() != self._pid:
            return
        with suppress(OSError):
            self._draft.unlink(missing_ok=True)
        with suppress(OSError):
            if self.owner() is None:
                self.path.unlink(missing_ok=True)
