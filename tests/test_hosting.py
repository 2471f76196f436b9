"""What the hosting site, the documentation's host and the tools of developers read is in order."""

import re
import subprocess
import sys

import pytest
import yaml
from packaging.requirements import Requirement

from tests.documents import ROOT
from tests.facts import MATRIX, PROJECT, PYPROJECT, SESSIONS
from tests.programs import beside_python

WORKFLOWS = ROOT / ".github" / "workflows"
REPOSITORY = PROJECT["urls"]["Repository"]
SCHEMAS = {
    ".github/ISSUE_TEMPLATE/bug.yaml": "github-issue-forms",
    ".github/ISSUE_TEMPLATE/config.yml": "github-issue-config",
    ".github/ISSUE_TEMPLATE/idea.yaml": "github-issue-forms",
    ".github/dependabot.yml": "dependabot",
    ".github/workflows/ci.yaml": "github-workflows",
    ".github/workflows/release.yaml": "github-workflows",
    ".readthedocs.yaml": "readthedocs",
}
READ_BY_PEOPLE = ["CONTRIBUTING.rst", "README.rst", "SECURITY.md", "docs/inventories/README.md"]


@pytest.mark.long
@pytest.mark.parametrize("path", SCHEMAS)
def test_schema(path):
    """The file is valid by the schema that check-jsonschema brings."""
    schema = f"vendor.{SCHEMAS[path]}"
    command = [beside_python("check-jsonschema"), "--builtin-schema", schema, ROOT / path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_file_has_a_schema():
    """No file of the hosting site's is without a judge."""
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / ".github").rglob("*.y*ml")}
    assert found == {path for path in SCHEMAS if path.startswith(".github")}


def jobs(name):
    return yaml.safe_load((WORKFLOWS / name).read_text("utf-8"))["jobs"]


def commands():
    """Return every command of both workflows."""
    steps = (
        s for name in ("ci.yaml", "release.yaml") for j in jobs(name).values() for s in j["steps"]
    )
    return [step["run"] for step in steps if "run" in step]


def test_matrix():
    """The service tests each Python and Django that nox does."""
    rows = jobs("ci.yaml")["tests"]["strategy"]["matrix"]["include"]
    assert [(row["python"], row["django"]) for row in rows] == MATRIX


def test_sessions():
    """A session that a workflow runs is one of the noxfile, and none that judges is left out."""
    run = [*commands(), (ROOT / ".ci/run").read_text()]
    named = set(re.findall(r"^(?!#).*nox -s \"?(\w+)", "\n".join(run), re.MULTILINE))
    judging = {"tests", "matrix", "torture", "package", "demo", "docs", "lint"}
    assert judging <= named <= SESSIONS


def test_scripts_are_there():
    """A script that a workflow runs can be executed."""
    scripts = {word for line in commands() for word in line.split() if word.startswith(".ci/")}
    assert scripts == {".ci/run", ".ci/is-release", ".ci/services"}
    assert all((ROOT / script).stat().st_mode & 0o111 for script in scripts)


def test_only_the_upload_may_identify_itself():
    """PyPI trusts one job, which runs no code of the repository; no secret is used."""
    release = jobs("release.yaml")
    assert release["publish"]["permissions"] == {"id-token": "write"}
    assert all("run" not in step for step in release["publish"]["steps"])
    assert "permissions" not in release["build"]
    assert all("secrets." not in path.read_text("utf-8") for path in WORKFLOWS.iterdir())


def test_pinned_tools():
    """Ruff before a commit is one that `nox -s lint` may install, and judges like it."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"]
    pins = {repo["repo"].rpartition("/")[2]: repo["rev"].lstrip("v") for repo in hooks}
    groups = PYPROJECT["dependency-groups"]
    assert pins["ruff-pre-commit"] in requirement("ruff", groups["lint"]).specifier
    assert pins["check-jsonschema"] in requirement("check-jsonschema", groups["template"]).specifier


def requirement(name, group):
    (found,) = (r for r in map(Requirement, filter(is_text, group)) if r.name == name)
    return found


def is_text(entry):
    return isinstance(entry, str)


def test_addresses():
    """What people read leads to the repository and the documentation of pyproject.toml."""
    texts = [(ROOT / path).read_text("utf-8") for path in (*SCHEMAS, *READ_BY_PEOPLE)]
    for address in re.findall(r"https://[\w./-]*dockerflow-django[\w./-]*", "\n".join(texts)):
        known = (REPOSITORY, PROJECT["urls"]["Documentation"], "https://pypi.org/project/")
        assert address.startswith(known), address


@pytest.mark.parametrize("document", ["CONTRIBUTING.rst", "SECURITY.md"])
def test_links_between_files(document):
    """A link to a file of the repository leads to one."""
    text = (ROOT / document).read_text("utf-8")
    for target in re.findall(r"(?:\]\(|<)([\w./-]+)[)>]", text):
        assert (ROOT / target).is_file(), target


RELEASED = "Changelog\n=========\n\n{version} (2026-11-27)\n------------------\n"


@pytest.mark.parametrize(
    ("tag", "changelog", "code"),
    [
        ("v{version}", RELEASED, 0),
        ("v{version}", RELEASED.replace("2026-11-27", "unreleased"), 1),
        ("{version}", RELEASED, 1),
        ("v{version}.1", RELEASED, 1),
    ],
)
def test_is_release(tmp_path, tag, changelog, code):
    """A tag is published if it is the version's, and the changelog says when that was."""
    for name in (".ci/is-release", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    text = {"version": PROJECT["version"]}
    (tmp_path / "CHANGELOG.rst").write_text(changelog.format_map(text))
    command = [sys.executable, tmp_path / ".ci/is-release", tag.format_map(text)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == code


def test_text_files_end_as_the_hooks_want():
    """No line ends with a blank, and each file with one line break: the hooks change nothing."""
    suffixes = {".md", ".py", ".rst", ".toml", ".yaml", ".yml"}
    folders = (".github", "benchmarks", "docs", "src", "tests")
    found = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    for path in [*found, *ROOT.iterdir()]:
        if path.suffix in suffixes and "_build" not in path.parts:
            text = path.read_text("utf-8")
            assert not re.search(r"[ \t]+$", text, re.MULTILINE), path
            assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), path
