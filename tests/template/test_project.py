"""A made project runs at once: it migrates, its tests and its rules pass, it is served."""

import re
import tomllib
from importlib.metadata import version
from shutil import rmtree

import pytest

from tests.harness import http
from tests.harness.ports import LOOPBACK, Port
from tests.harness.waiting import wait_until
from tests.logging.lines import parse
from tests.template.production import PRODUCTION


@pytest.mark.long
def test_own_tests_pass(project):
    """The made project's tests pass, without a variable and without .env."""
    (project.folder / ".env").unlink()
    assert " passed" in project.run("-m", "pytest", "-q", "-p", "no:cacheprovider").stdout


@pytest.mark.long
def test_example_can_be_deleted(project):
    """Without the example, deleted as the README says, the rest passes its tests."""
    for path in ("tweets", "tests/test_tweets.py"):
        folder = project.folder / path
        rmtree(folder) if folder.is_dir() else folder.unlink()
    for path in ("config/settings.py", "config/urls.py", "system_tests/test_service.py"):
        text = re.sub(r"def test_tweets\(.*?(?=\n\n\n)", "", project.text(path), flags=re.DOTALL)
        kept = [line for line in text.splitlines() if "weet" not in line or "tweets/" in line]
        (project.folder / path).write_text("\n".join(kept) + "\n")
    assert " passed" in project.run("-m", "pytest", "-q", "-p", "no:cacheprovider").stdout


@pytest.mark.long
def test_database_with_djangos_users(project, tmp_path):
    """A database that has Django's users is migrated, by the step that the how-to names."""
    settings = project.folder / "config" / "settings.py"
    kept = settings.read_text()
    environ = {"SQLITE_PATH": str(tmp_path / "db.sqlite3")}
    moved = kept.replace('    "users",\n', "").replace('"users.User"', '"auth.User"')
    settings.write_text(moved)
    project.manage("migrate", "--verbosity=0", "admin", **environ)
    settings.write_text(kept)
    told = project.manage("migrate", "--verbosity=0", code=1, **environ).stderr
    assert "InconsistentMigrationHistory" in told
    rmtree(project.folder / "users")
    (project.folder / "tests" / "test_users.py").unlink()
    settings.write_text(moved)
    project.manage("migrate", "--verbosity=0", **environ)
    assert " passed" in project.run("-m", "pytest", "-q", "-p", "no:cacheprovider").stdout


def test_own_rules_pass(project):
    """The made project keeps the rules of its own ruff, and is formatted."""
    project.run("-m", "ruff", "check", "--no-cache", ".")
    project.run("-m", "ruff", "format", "--no-cache", "--check", ".")


def test_nothing_else_is_rendered(made):
    """No placeholder is left, and the project's name is where it is meant to be."""
    named = set()
    for path in (path for path in made.folder.rglob("*") if path.is_file()):
        text = path.read_text("utf-8")
        assert not re.search(r"\{\{ \w+ \}\}|\{% ", text), path
        if "shop" in text:
            named.add(path.relative_to(made.folder).as_posix())
    assert named == {"README.md", "config/settings.py", "pyproject.toml"}


@pytest.mark.long
@pytest.mark.parametrize("environ", [{}, PRODUCTION], ids=["development", "production"])
def test_check(made, environ):
    """Nothing is out of order, in production with Django's checks of a deployment."""
    more = ["--deploy", "--fail-level", "DEBUG"] if environ else []
    assert "no issues" in made.manage("check", *more, **environ).stdout


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({}, "SECRET_KEY is not set"),
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"SECRET_KEY_FILE": "missing"}, "SECRET_KEY_FILE='missing' cannot be read"),
        ({"SECRET_KEY": "x", "DEBUG": "maybe"}, "DEBUG='maybe' cannot be read"),
    ],
)
def test_wrong_environment(project, environ, reason):
    """Outside DEBUG a key must be given, and a wrong variable is told in one line."""
    (project.folder / ".env").unlink()
    (line,) = project.manage("check", code=1, **environ).stderr.splitlines()
    assert reason in line


@pytest.mark.long
def test_error_that_is_not_the_environments(project):
    """An error of the project's own keeps its traceback."""
    with (project.folder / "config" / "urls.py").open("a") as urls:
        urls.write("\nfrom django.core.exceptions import ImproperlyConfigured\n")
        urls.write('raise ImproperlyConfigured("of my own")\n')
    assert "Traceback" in project.manage("check", code=1).stderr


def test_secret_from_a_file(project):
    """What NAME_FILE names is the secret, without the newline at its end."""
    (project.folder / "key").write_text("from-a-file\n")
    code = "from config import settings; print(settings.SECRET_KEY)"
    assert project.run("-c", code, SECRET_KEY_FILE="key").stdout == "from-a-file\n"


@pytest.mark.long
@pytest.mark.parametrize("interface", [[], ["--asgi"]], ids=["wsgi", "asgi"])
def test_every_endpoint_answers(migrated, interface):
    """In production every endpoint answers, by any host name and without HTTPS; lines are valid."""
    write_version(migrated)
    migrated.manage("collectstatic", "--no-input", "--verbosity=0", **PRODUCTION)
    with (
        Port() as port,
        Port() as probe_port,
        serve(migrated, port, probe_port, *interface) as server,
    ):
        wait_until(lambda: status(port, "/__lbheartbeat__") == 200, timeout=60, what="it serves")
        wait_until(
            lambda: status(probe_port, "/__heartbeat__/readiness") == 200, timeout=60, what="ready"
        )
        for path in ("", "/liveness", "/readiness", "/startup"):
            assert status(port, f"/__heartbeat__{path}") == 200
        assert ask(port, "/__version__").json()["commit"] == "c0ffee"
        assert b"dockerflow_build_info" in ask(probe_port, "/__metrics__").body
        # Metrics are not public, and everybody else comes by HTTPS and a known name.
        assert status(port, "/__metrics__", **https()) == 404
        assert status(port, "/api/tweets/", host="www.example.com") == 301
        assert status(port, "/api/tweets/", **https("other.example")) == 400
        answer = ask(port, "/api/tweets/", **https())
        assert (answer.status, answer.json()["results"]) == (200, [])
        check_static(port)
        page = https()
        page["headers"]["Accept"] = "text/html"
        assert b"<h1>Tweet List</h1>" in ask(port, "/api/tweets/", **page).body
        rid = answer.headers["X-Request-ID"]
        line = server.wait_for_line(rf".*request\.summary.*{rid}.*", stream="stdout")[0]
        fields = parse(line)["Fields"]
        assert (fields["path"], fields["code"], fields["rid"]) == ("/api/tweets/", 200, rid)
        assert {parse(text)["Logger"] for text in server.lines("stdout")} == {"shop"}
        assert server.stop(timeout=30).code == 0


def check_static(port):
    """Ask for a static file: it has the security middleware's headers, which comes first."""
    page = ask(port, "/admin/login/", **https()).body.decode()
    path = re.search(r'href="(/static/admin/css/base\.\w+\.css)"', page)[1]
    assert status(port, path, host="www.example.com") == 301
    answer = ask(port, path, **https())
    assert answer.status == 200
    assert "max-age" in answer.headers["Strict-Transport-Security"]
    assert "immutable" in answer.headers["Cache-Control"]


def write_version(project):
    values = {"source": "https://code.example/shop", "release": "1", "commit": "c0ffee"}
    given = [part for name, value in values.items() for part in (f"--{name}", value)]
    project.manage("write_version", *given, "--build", "https://ci.example/1", **PRODUCTION)


def serve(project, port, probe_port, *arguments, **more):
    ports = {"PORT": str(port.number), "DOCKERFLOW_PROBE_PORT": str(probe_port.number)}
    environ = {**PRODUCTION, **ports, "DOCKERFLOW_DRAIN_SECONDS": "0", **more}
    return project.start("manage.py", "serve", "--host", LOOPBACK, *arguments, **environ)


def https(host="www.example.com"):
    return {"host": host, "headers": {"X-Forwarded-Proto": "https"}}


def ask(port, path, **more):
    return http.request((LOOPBACK, port.number), path=path, **more)


def status(port, path, **more):
    try:
        return ask(port, path, **more).status
    except OSError:
        return None


@pytest.mark.long
def test_system_tests_and_conformance(migrated):
    """Against the served project its black-box tests pass, and `dockerflow check`."""
    write_version(migrated)
    with Port() as port, Port() as probe_port:
        environ = {"PORT": str(port.number), "DOCKERFLOW_PROBE_PORT": str(probe_port.number)}
        with migrated.start("manage.py", "serve", "--host", LOOPBACK, **environ) as server:
            server.wait_for_line(r".*[Ss]erving.*")
            wait_until(lambda: status(port, "/__lbheartbeat__") == 200, timeout=60)
            url = f"http://{LOOPBACK}:{port.number}"
            black_box = ["system_tests", "-q", "-p", "no:cacheprovider", "--base-url", url]
            assert "5 passed" in migrated.run("-m", "pytest", *black_box).stdout
            migrated.run("-m", "dockerflow_django", "check", url, "--strict")


def test_requires_the_generators_version(made):
    """The project asks for the version that made it, and for compatible ones."""
    project = tomllib.loads(made.text("pyproject.toml"))["project"]
    assert f"dockerflow-django[serve]~={version('dockerflow-django')}" in project["dependencies"]
    assert project["name"] == "shop"


def test_ships_no_lock_file(made):
    """`uv lock` makes one for the user's own packages; the image is built with and without it."""
    assert not (made.folder / "uv.lock").exists()
    assert "uv.loc[k]" in made.text("Dockerfile")
