"""What a stage of a Dockerfile makes: the image's user, command, files, and what was run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

ROOT = "/"
APP_FOLDER = "/app"


@dataclass(frozen=True)
class Copy:
    """A COPY or ADD: what, to which absolute path, whose it is, from which stage."""

    line: int
    sources: tuple[str, ...]
    destination: str
    owner: str
    stage: str | None
    heredocs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Run:
    """A RUN, with the variables put in: its commands, its heredocs below them."""

    line: int
    text: str


@dataclass
class Image:
    """The state after an instruction; a stage that builds on another begins with a copy of it."""

    base: str
    user: str | None = None
    entrypoint: list[str] | str | None = None
    command: list[str] | str | None = None
    workdir: str = ROOT
    env: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str | None] = field(default_factory=dict)
    ports: list[str] = field(default_factory=list)
    steps: list[Copy | Run] = field(default_factory=list)
    # ENTRYPOINT forgets the CMD of what a stage builds on, of itself it does not.
    has_own_command: bool = False
    forgot_command: bool = False

    @property
    def copies(self) -> list[Copy]:
        """Return what was copied, in order."""
        return [step for step in self.steps if isinstance(step, Copy)]

    @property
    def runs(self) -> list[Run]:
        """Return what was run, in order."""
        return [step for step in self.steps if isinstance(step, Run)]

    @property
    def values(self) -> dict[str, str | None]:
        """Return the values of all variables: ENV goes before ARG."""
        return {**self.arguments, **self.env}

    def child(self) -> Image:
        """Return what a stage begins with that builds on this one."""
        return replace(
            self,
            env=dict(self.env),
            arguments=dict(self.arguments),
            ports=list(self.ports),
            steps=list(self.steps),
            has_own_command=False,
        )


def is_in_app(path: str) -> bool:
    """Tell whether a path is the folder that Dockerflow gives the application, or in it."""
    return path == APP_FOLDER or path.startswith(f"{APP_FOLDER}/")
