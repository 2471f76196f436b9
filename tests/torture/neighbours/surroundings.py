"""Command lines that give what follows them another place to run: the mounts, the user.

Each is what `Served` takes as `before`.
"""

import os
import subprocess
from pathlib import Path

from tests.harness.programs import find_program, missing

USER = 10001


def in_own_mounts(script: str) -> list[str]:
    """Run `script` in a mount namespace of its own, then the command; the machine's stay as is."""
    find_program("unshare")
    before = ["unshare", "--mount", "sh", "-ec", f'{script}\nexec "$@"', "sh"]
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        missing("this user may not mount", everywhere=False)
    return before


def read_only() -> list[str]:
    """Have every file system read-only but /proc, /dev and what is below them."""
    return in_own_mounts("mount -o remount,bind,ro /")


def small_disk(folder: Path, kilobytes: int) -> list[str]:
    """Have a file system of that size at `folder`."""
    return in_own_mounts(f"mount -t tmpfs -o size={kilobytes}k tmpfs '{folder}'")


def as_nobody_known() -> list[str]:
    """Run as user and group 10001, which no file knows, with no variable that names a home.

    This process may write nothing that is root's. It may read all: the interpreter of a developer
    or a CI may lie where only root looks.
    """
    if os.geteuid() != 0:
        missing("only root can become another user", everywhere=False)
    find_program("setpriv")
    ids = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
    caps = ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
    return ["setpriv", *ids, *caps, "env", "--unset=HOME", "--unset=USER", "--unset=LOGNAME"]
