"""Every command, with what is right and with what is wrong; none shows a secret."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.harness.project import Project
from tests.torture.figures import Figures
from tests.torture.leaks.commands import CASES, Command
from tests.torture.leaks.planting import Services, planted
from tests.torture.leaks.secrets import Secrets

Sized = Callable[..., Any]

# A command is busy with starting most of the time.
AT_ONCE = 4


@pytest.mark.parametrize("case", CASES)
def test_leaks_of_commands(
    project: Project,
    secrets: Secrets,
    services: Services,
    figures: Figures,
    sized: Sized,
    case: str,
) -> None:
    """What a command prints, and the exit code that it ends with, tell no secret."""
    project = planted(project, secrets, services, "http://127.0.0.1:1/hook")
    commands = [*CASES[case](project, secrets)][:: sized(3, 1)]
    texts = (path.read_text() for path in project.folder.rglob("*") if path.suffix != ".sqlite3")
    secrets.keep_only(*map(repr, commands), *texts)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ended = [*pool.map(Command.run, commands)]
    for command, done in zip(commands, ended, strict=True):
        name = " ".join(word for word in command.argv if "//" not in word)
        secrets.search(name, done.stdout, done.stderr)
        assert done.stdout + done.stderr, name
        assert "\nTraceback" not in f"\n{done.stderr}", (name, done.stderr)
    secrets.note(figures, f"commands, {case}")
    heartbeats = (" ".join(command.argv) for command in commands if "heartbeat" in command.argv)
    secrets.assert_kept(*(heartbeats if case == "right" else ()))
