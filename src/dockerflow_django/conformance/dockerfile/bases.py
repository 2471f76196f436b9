"""What is known of base images without asking a registry."""

from __future__ import annotations

import re
from dataclasses import dataclass

SCRATCH = "scratch"
LANGUAGES = {
    "clojure", "dart", "eclipse-temurin", "elixir", "erlang", "gcc", "golang", "groovy", "haskell",
    "julia", "node", "openjdk", "perl", "php", "pypy", "python", "r-base", "ruby", "rust", "swift",
}  # fmt: skip
# Images of Docker's library whose own Dockerfile has no ENTRYPOINT.
WITHOUT_ENTRYPOINT = {
    "alpine", "buildpack-deps", "busybox", "debian", "elixir", "erlang", "gcc", "golang", "perl",
    "pypy", "python", "ruby", "rust", "swift", "ubuntu", SCRATCH,
}  # fmt: skip
SMALL = ("slim", "alpine", "distroless", "wolfi", "minimal", SCRATCH)
# Docker's library, as Docker itself, Amazon's and Google's mirrors and Harbor call it.
_LIBRARY = re.compile(r"(?:(?:docker\.io|index\.docker\.io|[\w.:/-]+)/)?library/([\w.-]+)")


@dataclass(frozen=True)
class Base:
    """A base image's reference: its repository, its tag, and its name in Docker's library."""

    repository: str
    tag: str
    official: str | None

    @property
    def is_small(self) -> bool:
        """Tell whether name or tag say that the image is a small one."""
        return any(word in f"{self.repository}:{self.tag}" for word in SMALL)

    @property
    def has_no_entrypoint(self) -> bool:
        """Tell whether the image is known to have none."""
        return self.official in WITHOUT_ENTRYPOINT


def read_base(reference: str) -> Base:
    """Take a reference such as ``docker.io/library/python:3.13-slim@sha256:…`` apart."""
    named = reference.partition("@")[0]
    folder, _, last = named.rpartition("/")
    name, _, tag = last.partition(":")
    repository = f"{folder}/{name}" if folder else name
    found = _LIBRARY.fullmatch(repository)
    official = found[1] if found else (None if folder or "$" in name else name)
    return Base(repository, tag, official)
