import json
import os

import pytest

from dockerflow_django.management import version_file
from dockerflow_django.management.version_file import CommitUnknownError, collect, write
from tests.repository import Repository

SHA = "0123456789abcdef0123456789abcdef01234567"
VERSION = {"source": "https://example.org/shop", "version": "", "commit": SHA, "build": ""}

CIRCLE = {
    "CIRCLE_REPOSITORY_URL": "git@github.com:org/shop.git",
    "CIRCLE_TAG": "v1.2",
    "CIRCLE_SHA1": SHA,
    "CIRCLE_BUILD_URL": "https://circleci.com/gh/org/shop/7",
}
GITHUB = {
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "org/shop",
    "GITHUB_REF": "refs/tags/v1.2",
    "GITHUB_SHA": SHA,
    "GITHUB_RUN_ID": "7",
}
GITLAB = {
    "CI_PROJECT_URL": "https://gitlab.com/org/shop",
    "CI_COMMIT_TAG": "v1.2",
    "CI_COMMIT_SHA": SHA,
    "CI_PIPELINE_URL": "https://gitlab.com/org/shop/-/pipelines/7",
}
BITBUCKET = {
    "BITBUCKET_GIT_HTTP_ORIGIN": "https://bitbucket.org/org/shop",
    "BITBUCKET_TAG": "v1.2",
    "BITBUCKET_COMMIT": SHA,
    "BITBUCKET_BUILD_NUMBER": "7",
}
JENKINS = {
    "GIT_URL": "https://robot:secret@git.example.org/shop.git",
    "TAG_NAME": "v1.2",
    "GIT_COMMIT": SHA,
    "BUILD_URL": "https://robot:secret@ci.example.org/job/shop/7/",
}


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


@pytest.mark.parametrize(
    ("environ", "source", "version", "build"),
    [
        (CIRCLE, "https://github.com/org/shop", "v1.2", "https://circleci.com/gh/org/shop/7"),
        (
            GITHUB,
            "https://github.com/org/shop",
            "v1.2",
            "https://github.com/org/shop/actions/runs/7",
        ),
        (
            GITLAB,
            "https://gitlab.com/org/shop",
            "v1.2",
            "https://gitlab.com/org/shop/-/pipelines/7",
        ),
        (
            BITBUCKET,
            "https://bitbucket.org/org/shop",
            "v1.2",
            "https://bitbucket.org/org/shop/pipelines/results/7",
        ),
        (
            JENKINS,
            "https://git.example.org/shop.git",
            "v1.2",
            "https://ci.example.org/job/shop/7/",
        ),
        ({"SOURCE_COMMIT": SHA}, "", "", ""),
    ],
    ids=["circleci", "github", "gitlab", "bitbucket", "jenkins", "docker hub"],
)
def test_build_services(environ, source, version, build, tmp_path):
    """Each build service's own variables give all four values, as far as it tells them."""
    expected = {"source": source, "version": version, "commit": SHA, "build": build}
    assert collect({}, environ, tmp_path) == expected


def test_what_is_given_counts_most(tmp_path):
    """An option wins over the build service."""
    given = {"source": "https://example.org/", "version": "v9", "commit": SHA, "build": "by hand"}
    assert collect(given, CIRCLE, tmp_path) == given


def test_a_build_service_counts_more_than_git(repository):
    """Where a build service tells the commit, git is not believed instead."""
    assert collect({}, GITLAB, repository.folder)["commit"] == SHA


@pytest.mark.parametrize("reference", ["refs/heads/main", "refs/pull/7/merge"])
def test_a_branch_is_no_version(reference, tmp_path):
    """GitHub's variable for everything gives a version for tags only."""
    assert collect({}, GITHUB | {"GITHUB_REF": reference}, tmp_path)["version"] == ""


def test_an_empty_variable_is_none(repository):
    """A variable that is set to nothing, as Docker's build arguments are, is no commit."""
    version = collect({}, {"GIT_COMMIT": "", "CI_COMMIT_SHA": ""}, repository.folder)
    assert version["commit"] == repository.commit


def test_git(repository):
    """Without a build service the repository tells source, version and commit."""
    repository.run("remote", "add", "origin", "https://example.org/shop.git")
    repository.run("tag", "v1.2")
    folder = repository.folder / "inside"
    folder.mkdir()
    assert collect({}, {}, folder) == {
        "source": "https://example.org/shop.git",
        "version": "v1.2",
        "commit": repository.commit,
        "build": "",
    }


def test_git_without_a_tag_and_a_remote(repository):
    """What a repository does not have is empty."""
    expected = {"source": "", "version": "", "commit": repository.commit, "build": ""}
    assert collect({}, {}, repository.folder) == expected


def test_a_tag_of_another_commit_does_not_count(repository):
    """A version is written only where it is told of the commit that is written."""
    repository.run("tag", "v1.2")
    repository.run("remote", "add", "origin", "https://example.org/shop.git")
    version = collect({"commit": SHA}, {}, repository.folder)
    assert version["version"] == ""
    assert version["source"] == "https://example.org/shop.git"


def test_a_short_commit_is_the_same_commit(repository):
    """A commit that is given in short is the one that git tells in full."""
    repository.run("tag", "v1.2")
    version = collect({"commit": repository.commit[:8]}, {}, repository.folder)
    assert version["version"] == "v1.2"


@pytest.mark.parametrize(
    ("remote", "source"),
    [
        ("https://token:secret@example.org/shop.git", "https://example.org/shop.git"),
        ("https://secret@example.org:8443/a@b/shop", "https://example.org:8443/a@b/shop"),
        ("https://example.org/shop.git?private_token=secret", "https://example.org/shop.git"),
        ("ssh://git@example.org:22/shop.git", "ssh://example.org:22/shop.git"),
        ("ssh://git@gitlab.com/org/shop.git", "https://gitlab.com/org/shop"),
        ("git@example.org:org/shop.git", "example.org:org/shop.git"),
        ("git@github.com:org/shop.git", "https://github.com/org/shop"),
        ("/srv/git/a@b.git", "/srv/git/a@b.git"),
    ],
)
def test_no_credentials_are_written(remote, source, repository):
    """A remote is written without user and password; where it is known, as its web address."""
    repository.run("remote", "add", "origin", remote)
    assert collect({}, {}, repository.folder)["source"] == source
    assert collect({"source": remote}, {}, repository.folder)["source"] == source


def test_credentials_in_front_of_a_second_address():
    """User-info goes, whatever stands in the rest of the address."""
    url = "https://u:secret@ci.example.org/job?from=https://example.org"
    expected = "https://ci.example.org/job?from=https://example.org"
    assert version_file._without_user_info(url) == expected


def test_no_commit_at_all(tmp_path):
    """Without a commit nothing is written, and it is said where it was looked for."""
    with pytest.raises(CommitUnknownError, match=r"neither --commit nor .* not a git repository"):
        collect({"version": "v1"}, {}, tmp_path)


def test_no_git(tmp_path, monkeypatch):
    """A machine without git says so."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommitUnknownError, match=r"git cannot be asked: .*No such file"):
        collect({}, {}, tmp_path)


def test_a_git_that_hangs(tmp_path, monkeypatch):
    """A git that does not answer is given up."""
    script = tmp_path / "git"
    script.write_text("#!/bin/sh\nexec sleep 20\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(version_file, "GIT_SECONDS", 0.1)
    with pytest.raises(CommitUnknownError, match=r"git cannot be asked: .*timed out"):
        collect({}, {}, tmp_path)


def test_the_file(tmp_path):
    """The file holds the object, and nothing else is left in its folder."""
    path = tmp_path / "version.json"
    write(path, VERSION)
    assert json.loads(path.read_text()) == VERSION
    assert list(tmp_path.iterdir()) == [path]


def test_the_file_is_for_everybody(tmp_path):
    """The server, which is another user than the build, may read it."""
    path = tmp_path / "version.json"
    write(path, VERSION)
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_an_old_file_is_replaced(tmp_path):
    """An old file is replaced by a new one in one step: who has it open keeps the old content."""
    path = tmp_path / "version.json"
    path.write_text("old")
    with path.open() as old:
        write(path, VERSION)
        assert old.read() == "old"
    assert json.loads(path.read_text()) == VERSION


def test_a_file_that_cannot_be_replaced(tmp_path):
    """Where the place is taken by a folder it raises, and leaves no draft behind."""
    path = tmp_path / "version.json"
    path.mkdir()
    with pytest.raises(OSError, match="Is a directory"):
        write(path, VERSION)
    assert list(tmp_path.iterdir()) == [path]
