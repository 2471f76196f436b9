"""The date, set back and forward for some processes alone."""

import subprocess
from pathlib import Path

from tests.harness.programs import find_program

SOURCE = Path(__file__).with_name("clock.c")
DAY_SECONDS = 86400


class Clock:
    """The date of the processes that have this environment."""

    def __init__(self, folder: Path) -> None:
        library, offset = folder / "clock.so", folder / "clock.offset"
        command = [find_program("gcc"), "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"]
        subprocess.run(command, check=True, timeout=60)
        offset.write_bytes(bytes(8))
        self._file = offset.open("r+b", buffering=0)
        self.environ = {"LD_PRELOAD": str(library), "CLOCK_OFFSET_FILE": str(offset)}

    def set(self, *, days: int) -> None:
        """Set it so many days from the machine's, from now on."""
        self._file.seek(0)
        self._file.write((days * DAY_SECONDS).to_bytes(8, "little", signed=True))

    def close(self) -> None:
        self._file.close()
