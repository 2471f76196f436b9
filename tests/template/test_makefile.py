"""What the targets of a made project's Makefile do, as far as that needs no containers."""

import os
import re
import shlex
import subprocess
from itertools import pairwise

import pytest

from tests.harness import http
from tests.harness.ports import LOOPBACK, Port
from tests.harness.processes import Process
from tests.harness.waiting import wait_until
from tests.programs import need
from tests.template.test_project import status

# Notes what it is told. A secret that is made once is there, and cannot be made again.
DOCKER = """\
#!/bin/sh
echo "$@" >> "$DOCKER/calls"
case "$2" in
inspect) test -e "$DOCKER/$3" ;;
create) test ! -e "$DOCKER/$3" && touch "$DOCKER/$3" ;;
esac
"""


SECRETS = ("secret_key", "postgres_password", "sentry_dsn")


@pytest.fixture
def make(project, tmp_path):
    """Return a function that runs make with a docker that only takes notes; give those back."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER)
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    need("make")

    def make(*arguments):
        (tmp_path / "calls").unlink(missing_ok=True)
        # No repository above the project is asked.
        environ = project.env(
            PATH=path, DOCKER=str(tmp_path), GIT_CEILING_DIRECTORIES=str(tmp_path)
        )
        done = run(["make", *arguments], cwd=project.folder, env=environ)
        calls = tmp_path / "calls"
        return done.stdout, calls.read_text().splitlines() if calls.exists() else []

    return make


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def commands(make, target):
    """Return what a target runs, word by word."""
    text = make("--dry-run", target)[0].replace("\\\n", " ")
    return [shlex.split(line) for line in text.splitlines()]


@pytest.mark.parametrize("repository", ["none", "new", "with a commit"])
def test_commit_of_the_image(project, make, repository):
    """The image is told the commit, and that it is unknown where there is none."""
    git = [need("git"), "-c", "user.name=Ada", "-c", "user.email=ada@shop.example"]
    if repository != "none":
        run([*git, "init", "--quiet"], cwd=project.folder)
    if repository == "with a commit":
        run([*git, "commit", "--quiet", "--allow-empty", "--message=1"], cwd=project.folder)
    ((call,)) = make("image")[1]
    commit = re.search(r"COMMIT=(\S*)", call)[1]
    if repository == "with a commit":
        assert commit == run([*git, "rev-parse", "HEAD"], cwd=project.folder).stdout.strip()
    else:
        assert commit == "unknown"


def test_secrets_again(make):
    """What is missing is handed to Swarm; a second time nothing is, and that is no error."""
    assert created(make("secrets")[1]) == {f"app_{name}_1" for name in SECRETS}
    assert created(make("secrets")[1]) == set()


def test_secrets_in_a_fresh_clone(project, make):
    """Of a secret that Swarm has no other is made: it is kept, and the target says so."""
    make("secrets")
    folder = project.folder / "deploy" / "secrets"
    for name in SECRETS:
        (folder / name).unlink()
    output, calls = make("secrets")
    assert [path.name for path in folder.iterdir()] == ["README.md"]
    assert created(calls) == set()
    for name in SECRETS:
        assert f"app_{name}_1 is there already: kept\n" in output


def test_secrets_that_are_given(project, make):
    """A file that is there is handed to Swarm as it is."""
    path = project.folder / "deploy" / "secrets" / "sentry_dsn"
    path.write_text("https://key@sentry.example/1\n")
    assert "app_sentry_dsn_1" in created(make("secrets")[1])
    assert path.read_text() == "https://key@sentry.example/1\n"


def created(calls):
    return {call.split()[2] for call in calls if call.startswith("secret create ")}


@pytest.mark.long
@pytest.mark.parametrize("missing", [False, True])
def test_lint_finds_a_missing_migration(project, make, missing):
    """Beside the style it asks whether a change of a model has no migration, without services."""
    if missing:
        models = project.folder / "users" / "models.py"
        models.write_text(models.read_text().replace("max_length=200", "max_length=201"))
    command = commands(make, "lint")[-1]
    given = [word for before, word in pairwise(command) if before == "--env"]
    environ = dict(word.split("=", 1) for word in given)
    # As in the container, where PostgreSQL is named.
    environ = {"POSTGRES_HOST": "postgres", **environ}
    arguments = command[command.index("web") + 1 :]
    done = project.call("manage.py", *arguments, **environ)
    assert (done.returncode == 1) is missing, done.stdout + done.stderr
    assert "Warning" not in done.stderr


@pytest.mark.long
def test_translations_are_the_projects(project, make):
    """A virtual environment in the folder keeps its translations as they came."""
    need("msgfmt", everywhere=False)
    places = [project.folder / folder / "locale/de/LC_MESSAGES" for folder in (".", ".venv/app")]
    for place in places:
        place.mkdir(parents=True)
        (place / "django.po").write_text('msgid "Profile"\nmsgstr "Profil"\n')
    (command,) = commands(make, "compilemessages")
    project.manage(*command[command.index("manage.py") + 1 :])
    assert [(place / "django.mo").exists() for place in places] == [True, False]


VIEW = """
def stop(request):
    from django.http import HttpResponse
    breakpoint()
    return HttpResponse("went on")

urlpatterns.append(path("stop/", stop))
"""


@pytest.mark.long
def test_debug_stops_at_a_breakpoint(project, make, tmp_path):
    """In the terminal of `make debug` a breakpoint() opens the debugger; the request goes on."""
    stop, serve = commands(make, "debug")
    assert stop[-2:] == ["stop", "web"]
    assert "PYTHONBREAKPOINT=ipdb.set_trace" in serve
    with (project.folder / "config" / "urls.py").open("a") as urls:
        urls.write(VIEW)
    project.manage("migrate", "--verbosity=0")
    terminal = tmp_path / "terminal"
    os.mkfifo(terminal)
    with Port() as port:
        arguments = [
            word.replace("0.0.0.0:8000", f"{LOOPBACK}:{port.number}")
            for word in serve[serve.index("web") + 1 :]
        ]
        shell = f'exec "$@" <>{shlex.quote(str(terminal))}'
        argv = ["/bin/sh", "-c", shell, "sh", "python", "manage.py", *arguments]
        address = (LOOPBACK, port.number)
        with Process(argv, env=project.env(), cwd=project.folder) as server:
            wait_until(
                lambda: status(port, "/__lbheartbeat__") == 200,
                timeout=60,
                what=lambda: f"it serves:\n{server.output}",
            )
            with http.Connection(address) as client:
                client.send(path="/stop/")
                server.wait_for_line(r"-> (breakpoint|return HttpResponse)")
                terminal.write_text("continue\n")
                assert client.read().body == b"went on"
