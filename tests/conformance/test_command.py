"""``dockerflow check``: lines, JSON, exit status, and one line for whatever is wrong."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dockerflow_django.__main__ import main
from dockerflow_django.conformance.report import STATUSES
from tests.conformance.stranger import LANDING_PAGE, RIGHT, stranger, version
from tests.conformance.test_dockerfile_rules import RIGHT as DOCKERFILE
from tests.conformance.test_manifests import compose, workload


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Give a folder with a right Dockerfile and right manifests, as the current one."""
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "web.yaml").write_text(yaml.safe_dump(workload()))
    (tmp_path / "compose.yaml").write_text(yaml.safe_dump(compose()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(capsys, *arguments):
    """Return exit status, standard output and standard error."""
    try:
        status = main(["check", *arguments])
    except SystemExit as ended:
        status = ended.code
    return status, *capsys.readouterr()


def test_everything_at_once(capsys, files):
    """One line each tells status, requirement and source; the last one counts."""
    with stranger() as address:
        arguments = ("--dockerfile", "Dockerfile", "--manifest", "web.yaml", "compose.yaml")
        status, out, err = check(capsys, address, *arguments)
    *lines, total = out.splitlines()
    assert (status, err) == (0, "")
    assert {line.split()[0] for line in lines} == {"ok", "skip"}
    assert all(line.endswith("]") for line in lines)
    assert (
        f"ok {address}: /__lbheartbeat__ answers 200: 200 OK [must, Dockerflow, app requirement 6]"
    ) in lines
    counted = sum(int(part.split()[0]) for part in total.split(", "))
    assert counted == len(lines)
    assert [part.split()[1] for part in total.split(", ")] == list(STATUSES)


def test_must_and_should(capsys):
    """A `must` that fails is 1, and tells the mend; a `should` is 1 only under --strict."""
    with stranger(RIGHT | {"/__version__": version(build="")}) as address:
        assert check(capsys, address)[0] == 0
        status, out, _ = check(capsys, "--strict", "--timeout", "9", address)
    assert status == 1
    warning = next(line for line in out.splitlines() if line.startswith("warn"))
    assert "blank: build; fill them in" in warning
    with stranger({}, otherwise=LANDING_PAGE) as address:
        assert check(capsys, address)[0] == 1


def test_json(capsys, files):
    """One object, and nothing else, is on standard output."""
    with stranger(RIGHT | {"/__version__": (404, "")}) as address:
        status, out, _ = check(capsys, address, "--json", "--dockerfile", "Dockerfile")
    report = json.loads(out)
    assert (status, report["passed"], report["errors"]) == (1, False, [])
    (failed,) = (result for result in report["results"] if result["status"] == "fail")
    assert failed | {"mend": "", "text": ""} == {
        "status": "fail",
        "subject": address,
        "requirement": "version",
        "level": "must",
        "text": "",
        "source": "Dockerflow, app requirement 4",
        "seen": "404 Not Found",
        "mend": "",
    }
    assert failed["mend"].startswith("write /app/version.json")


def test_secrets_are_hidden(capsys, files):
    """What is quoted of a file goes into a log of continuous integration."""
    lines = DOCKERFILE.splitlines()
    command = "CMD web --token s3cret amqp://ada:s3cret@mq"
    written = "\n".join(command if line.startswith("CMD") else line for line in lines)
    (files / "Dockerfile").write_text(written)
    _, out, _ = check(capsys, "--dockerfile", "Dockerfile")
    assert "CMD web --token [redacted] amqp://[redacted]@mq" in out
    _, out, _ = check(capsys, "--dockerfile", "Dockerfile", "--json")
    assert "CMD web --token [redacted] amqp://[redacted]@mq" in out
    assert json.loads(out)["errors"] == []


def test_json_of_an_error(capsys):
    """What could not be judged is in the object, too."""
    status, out, err = check(capsys, "--json", "unix:/nowhere")
    assert status == 1
    assert json.loads(out) == {
        "passed": False,
        "strict": False,
        "results": [],
        "errors": ["unix:/nowhere: there is no such socket"],
    }
    assert "there is no such socket" in err


def test_the_rest_is_judged(capsys, files):
    """A service that is not there does not hide what the Dockerfile shows."""
    status, out, err = check(capsys, "unix:/nowhere", "--dockerfile", "Dockerfile")
    assert (status, err) == (1, "dockerflow check: unix:/nowhere: there is no such socket\n")
    assert "USER app is the default user" in out


def test_stages_and_arguments(capsys, files):
    """--target and --build-arg go to the Dockerfile."""
    text = DOCKERFILE.replace("USER app", "ARG WHO\nUSER $WHO")
    Path("Dockerfile").write_text(f"{text}\nFROM scratch AS empty\n")
    arguments = ["--dockerfile", "Dockerfile", "--target", "0"]
    assert check(capsys, *arguments, "--build-arg", "WHO=app")[0] == 0
    assert check(capsys, *arguments, "--build-arg", "WHO=root")[0] == 1
    assert check(capsys, *arguments[:3], "empty")[0] == 1


def test_standard_input(capsys, monkeypatch):
    """What another program renders may come through a pipe."""
    monkeypatch.setattr("sys.stdin", io.StringIO(yaml.safe_dump_all([workload(), compose()])))
    status, out, _ = check(capsys, "--manifest", "-")
    assert status == 0
    assert "standard input Deployment/shop web: " in out
    monkeypatch.setattr("sys.stdin", io.StringIO(DOCKERFILE))
    assert check(capsys, "--dockerfile", "-")[0] == 0


WRONG_ARGUMENTS = {
    "nothing": ([], "nothing to judge"),
    "no URL": (["localhost:8000"], "write http://localhost:8000"),
    "an option that is none": (["--nope"], "unrecognized arguments: --nope"),
    "no number": (["--timeout", "soon", "http://x"], "is no number of seconds"),
    "no time": (["--timeout", "0", "http://x"], "is no number of seconds"),
    "too much time": (["--timeout", "1e9", "http://x"], "above 0 and up to 3600"),
    "not a number": (["--timeout", "nan", "http://x"], "is no number of seconds"),
    "no Dockerfile": (["--dockerfile", "lost"], "lost: No such file or directory"),
    "a folder": (["--dockerfile", "."], ".: Is a directory"),
    "no text": (["--dockerfile", sys.executable], "not a text in UTF-8"),
    "no manifest": (["--manifest", "lost.yaml"], "lost.yaml: No such file or directory"),
    "a URL last": (["--manifest", "http://x"], "a URL comes before --manifest"),
    "no stage": (["--dockerfile", "Dockerfile", "--target", "x"], "no stage 'x'"),
    "a stage of nothing": (["http://x", "--target", "x"], "go with --dockerfile"),
    "no value": (
        ["--dockerfile", "Dockerfile", "--build-arg", "WHO"],
        "--build-arg: 'WHO' is no NAME=VALUE",
    ),
}


@pytest.mark.parametrize(("arguments", "reason"), WRONG_ARGUMENTS.values(), ids=WRONG_ARGUMENTS)
def test_wrong_arguments(capsys, files, arguments, reason):
    """A wrong argument is 2, and a line that says what is wrong with it."""
    status, out, err = check(capsys, *arguments)
    assert (status, out) == (2, "")
    assert reason in err.splitlines()[-1]


BROKEN = {
    "a manifest": (["--manifest", "x"], "x:1:5: not YAML"),
    "a manifest in no text": (["--manifest", sys.executable], "not a text in UTF-8"),
    "a Dockerfile": (["--dockerfile", "x"], "x: line 1: 'a:' is no instruction"),
    "an empty folder": (["--manifest", "empty"], "empty: no .yaml"),
}


@pytest.mark.parametrize(("arguments", "reason"), BROKEN.values(), ids=BROKEN)
def test_broken_files(capsys, files, arguments, reason):
    """What cannot be read fails the check, with one line."""
    Path("x").write_text("a: b: c")
    Path("empty").mkdir()
    status, out, err = check(capsys, *arguments)
    assert (status, out) == (1, "")
    assert reason in err
    assert err.count("\n") == 1


WITHOUT = """
import sys
sys.modules["yaml"] = None
sys.modules["django"] = None
from dockerflow_django.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def run_without(*arguments):
    """Run the command in a process without PyYAML and Django; return status and both outputs."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, "check", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_without_pyyaml(files):
    """Manifests need the extra, and a line says so; nothing else does, nor any Django."""
    status, out, err = run_without("--manifest", "web.yaml")
    assert (status, out) == (1, "")
    assert err == (
        "dockerflow check: manifests need PyYAML: pip install 'dockerflow-django[check]'\n"
    )
    assert run_without("--dockerfile", "Dockerfile")[0] == 0


def test_what_a_service_sends_stays_on_its_line(capsys):
    """Control characters and line breaks of an answer do not reach the terminal."""
    with stranger(RIGHT | {"/__version__": (200, "\x1b[31m\r\nfail x")}) as address:
        out = check(capsys, address)[1]
    assert "\x1b" not in out
    assert not [line for line in out.splitlines() if line.startswith("fail x")]


class Terminal(io.StringIO):
    """A standard output that has colours."""

    encoding = "utf-8"

    def isatty(self):
        return True


def test_colours(monkeypatch, files):
    """On a terminal the first word has the colours of Django's commands."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert main(["check", "--dockerfile", "Dockerfile"]) == 0
    assert terminal.getvalue().startswith("\x1b[32;1mok\x1b[0m Dockerfile: ")


def test_interrupted(monkeypatch, capsys, files):
    """Ctrl-C is one line, too."""

    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("dockerflow_django.conformance.command.read_documents", interrupt)
    assert check(capsys, "--manifest", "web.yaml") == (1, "", "dockerflow check: interrupted\n")
