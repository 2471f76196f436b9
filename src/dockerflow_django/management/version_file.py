"""Find out what is being built, from a build service's variables or from git, and write it down.

The keys are those of Dockerflow's version object; of them only ``commit`` must be known.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GIT_SECONDS = 10

# How each build service names what we look for. The first whose commit is set is the one at work.
BUILD_SERVICES: dict[str, dict[str, str]] = {
    "CircleCI": {
        "source": "{CIRCLE_REPOSITORY_URL}",
        "version": "{CIRCLE_TAG}",
        "commit": "{CIRCLE_SHA1}",
        "build": "{CIRCLE_BUILD_URL}",
    },
    "GitHub Actions": {
        "source": "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}",
        "version": "{GITHUB_REF}",
        "commit": "{GITHUB_SHA}",
        "build": "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
    },
    "GitLab": {
        "source": "{CI_PROJECT_URL}",
        "version": "{CI_COMMIT_TAG}",
        "commit": "{CI_COMMIT_SHA}",
        "build": "{CI_PIPELINE_URL}",
    },
    "Bitbucket": {
        "source": "{BITBUCKET_GIT_HTTP_ORIGIN}",
        "version": "{BITBUCKET_TAG}",
        "commit": "{BITBUCKET_COMMIT}",
        "build": "{BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
    },
    "Jenkins": {
        "source": "{GIT_URL}",
        "version": "{TAG_NAME}",
        "commit": "{GIT_COMMIT}",
        "build": "{BUILD_URL}",
    },
    "Docker Hub": {"commit": "{SOURCE_COMMIT}"},
}

# Where a repository that is fetched by ssh is to be read under the same name by https.
WEB_HOSTS = ("bitbucket.org", "codeberg.org", "github.com", "gitlab.com")


class VersionObject(TypedDict):
    """What Dockerflow's ``version.json`` holds; empty if it is not known."""

    source: str
    version: str
    commit: str
    build: str


class CommitUnknownError(Exception):
    """Nothing tells which commit this is; the message says where was looked."""


def collect(given: Mapping[str, str], environ: Mapping[str, str], folder: Path) -> VersionObject:
    """Return what is given, completed by what a build service tells, and that by git in folder.

    A tag counts only if it is told of the same commit. Raises `CommitUnknownError`.
    """
    known = {key: value for key, value in given.items() if value}
    from_git, trouble = _ask_git(folder)
    for told in (_ask_build_service(environ), from_git):
        if not told.get("commit", "").startswith(known.get("commit", "")):
            told.pop("version", None)
        known = told | known
    if not known.get("commit"):
        raise CommitUnknownError(f"neither --commit nor a build service's variable, and {trouble}")
    return VersionObject(
        source=_web_address(_without_user_info(known.get("source", "").partition("?")[0])),
        version=known.get("version", ""),
        commit=known["commit"],
        build=_without_user_info(known.get("build", "")),
    )


def write(path: Path, version: VersionObject) -> None:
    """Write the object to path, so that a reader finds the old file or the new one, never half."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # Not by `tempfile`: its files are for their owner alone, and the server is often another.
        with draft.open("x", encoding="utf-8") as file:
            file.write(json.dumps(version, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _ask_build_service(environ: Mapping[str, str]) -> dict[str, str]:
    variables = {name: value for name, value in environ.items() if value}
    for templates in BUILD_SERVICES.values():
        told = {key: _fill(template, variables) for key, template in templates.items()}
        if told["commit"]:
            return {key: value for key, value in told.items() if value}
    return {}


def _fill(template: str, variables: Mapping[str, str]) -> str:
    try:
        value = template.format_map(variables)
    except KeyError:
        return ""
    # GitHub has one variable for branches, pull requests and tags.
    if value.startswith("refs/"):
        return value.removeprefix("refs/tags/") if value.startswith("refs/tags/") else ""
    return value


def _ask_git(folder: Path) -> tuple[dict[str, str], str]:
    """Return what git knows, and if it knows nothing, why."""
    commit, trouble = _git(folder, "rev-parse", "--verify", "HEAD")
    if not commit:
        return {}, trouble
    told = {
        "source": _git(folder, "remote", "get-url", "origin")[0],
        "version": _git(folder, "describe", "--tags", "--exact-match", "HEAD")[0],
        "commit": commit,
    }
    return {key: value for key, value in told.items() if value}, ""


def _git(folder: Path, *arguments: str) -> tuple[str, str]:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and the words are ours
            command, capture_output=True, text=True, timeout=GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", f"git cannot be asked: {error}"
    if done.returncode:
        return "", f"git in {folder} says: {done.stderr.strip().partition(chr(10))[0]}"
    return done.stdout.strip(), ""


def _without_user_info(url: str) -> str:
    """Return a URL, or git's short ``user@host:path``, without the user and the password."""
    scheme, separator, rest = url.partition("://") if "://" in url else ("", "", url)
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def _web_address(source: str) -> str:
    for host in WEB_HOSTS:
        for start in (f"{host}:", f"ssh://{host}/"):
            if source.startswith(start):
                return f"https://{host}/{source.removeprefix(start).removesuffix('.git')}"
    return source
