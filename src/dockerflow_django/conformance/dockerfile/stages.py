"""Follow a Dockerfile from FROM to FROM, and keep what each stage has come to."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from dockerflow_django.conformance.dockerfile.bases import read_base
from dockerflow_django.conformance.dockerfile.image import ROOT, Copy, Image, Run
from dockerflow_django.conformance.dockerfile.syntax import (
    Instruction,
    NotADockerfileError,
    parse,
)
from dockerflow_django.conformance.dockerfile.variables import assignments, expand

Values = Mapping[str, str | None]


@dataclass(frozen=True)
class Dockerfile:
    """The images of all stages, by number and by name, in order."""

    images: dict[str, Image]
    target: str

    @property
    def image(self) -> Image:
        """Return the image that is judged."""
        return self.images[self.target]


@dataclass
class _Build:
    """What holds for all stages: values given to the build, ARGs before the first FROM, stages."""

    given: Mapping[str, str]
    outside: dict[str, str | None] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)


def read(
    text: str, target: str | None = None, build_arguments: Mapping[str, str] | None = None
) -> Dockerfile:
    """Return the stages of a Dockerfile; the target is the last one, or the one that is named.

    Raises NotADockerfileError for text that is none, LookupError for a target that is not there.
    """
    images = _images(parse(text), _Build(build_arguments or {}))
    if not images:
        raise NotADockerfileError("there is no FROM")
    wanted = list(images)[-1] if target is None else target.lower()
    if wanted not in images:
        names = ", ".join(name for name in images if not name.isdigit()) or "none has a name"
        raise LookupError(f"no stage {target!r}; stages are: {names}")
    return Dockerfile(images, wanted)


def _images(instructions: list[Instruction], build: _Build) -> dict[str, Image]:
    image: Image | None = None
    number = 0
    for instruction in instructions:
        if instruction.name == "FROM":
            image = _begin(instruction, number, build)
            number += 1
        elif image is not None:
            _APPLY.get(instruction.name, _ignore)(instruction, image, build)
        elif instruction.name == "ARG":
            build.outside |= dict(_arguments(instruction.text, build.outside, {}, build.given))
        else:
            raise NotADockerfileError(
                f"line {instruction.line}: {instruction.name} stands before the first FROM"
            )
    return build.images


def _begin(instruction: Instruction, number: int, build: _Build) -> Image:
    words = expand(instruction.text, build.outside).split()
    if not words:
        raise NotADockerfileError(f"line {instruction.line}: FROM lacks an image")
    reference = words[0].strip("\"'")
    # A number names a stage only in COPY --from.
    parent = None if reference.isdigit() else build.images.get(reference.lower())
    image = parent.child() if parent else _first(reference)
    build.images[str(number)] = image
    if len(words) > 2 and words[1].lower() == "as":  # noqa: PLR2004 - FROM image AS name
        build.images[words[2].lower()] = image
    return image


def _first(reference: str) -> Image:
    """Return what a stage begins with that builds on an image from elsewhere."""
    is_official = read_base(reference).official is not None
    # Others may have a WORKDIR that nobody here knows.
    return Image(reference, workdir=ROOT if is_official else "/$WORKDIR")


def _arguments(
    text: str, values: Values, outside: Values, given: Mapping[str, str]
) -> Iterator[tuple[str, str | None]]:
    """Yield what ARG declares: the value given to the build, its own default, the one outside."""
    defaults = assignments(text) if "=" in text else {}
    for name in dict.fromkeys([*defaults, *(w for w in text.split() if w.isidentifier())]):
        if name in given:
            yield name, given[name]
        elif name in defaults:
            yield name, expand(defaults[name], values)
        else:
            yield name, outside.get(name)


def _ignore(instruction: Instruction, image: Image, build: _Build) -> None:
    """Pass over an instruction that no requirement looks at."""


def _arg(instruction: Instruction, image: Image, build: _Build) -> None:
    declared = _arguments(instruction.text, image.values, build.outside, build.given)
    image.arguments |= dict(declared)


def _env(instruction: Instruction, image: Image, build: _Build) -> None:
    values = image.values
    pairs = assignments(instruction.text)
    image.env |= {name: expand(value, values) for name, value in pairs.items()}


def _user(instruction: Instruction, image: Image, build: _Build) -> None:
    image.user = expand(instruction.text, image.values).strip("\"'")


def _workdir(instruction: Instruction, image: Image, build: _Build) -> None:
    image.workdir = _below(image.workdir, expand(instruction.text, image.values))


def _expose(instruction: Instruction, image: Image, build: _Build) -> None:
    image.ports += expand(instruction.text, image.values).split()


def _entrypoint(instruction: Instruction, image: Image, build: _Build) -> None:
    image.entrypoint = _command(instruction)
    if not image.has_own_command:
        image.command, image.forgot_command = None, True


def _cmd(instruction: Instruction, image: Image, build: _Build) -> None:
    image.command, image.has_own_command = _command(instruction), True


def _command(instruction: Instruction) -> list[str] | str | None:
    items = instruction.items
    # An empty list takes it away, as an empty line does.
    return (items if items is not None else instruction.text) or None


def _run(instruction: Instruction, image: Image, build: _Build) -> None:
    items = instruction.items
    lines = [" ".join(items) if items else instruction.text, *instruction.heredocs]
    image.steps.append(Run(instruction.line, expand("\n".join(lines), image.values)))


def _copy(instruction: Instruction, image: Image, build: _Build) -> None:
    text = expand(instruction.text, image.values)
    *sources, destination = replace(instruction, text=text).items or text.split() or [""]
    stage = instruction.flag("from")
    image.steps.append(
        Copy(
            instruction.line,
            tuple(sources),
            _below(image.workdir, destination),
            expand(instruction.flag("chown") or "", image.values),
            None if stage is None else expand(stage, image.values).lower(),
            instruction.heredocs,
        )
    )


def _below(folder: str, path: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, path.strip("\"'") or "."))
    return f"/{joined.lstrip('/')}"


_APPLY: dict[str, Callable[[Instruction, Image, _Build], None]] = {
    "ADD": _copy,
    "ARG": _arg,
    "CMD": _cmd,
    "COPY": _copy,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "RUN": _run,
    "USER": _user,
    "WORKDIR": _workdir,
}
