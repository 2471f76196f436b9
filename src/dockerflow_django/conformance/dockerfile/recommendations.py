"""What Dockerflow, and Docker's own reference, recommend for a Dockerfile."""

from __future__ import annotations

import re

from dockerflow_django.conformance.dockerfile.accounts import OURS
from dockerflow_django.conformance.dockerfile.bases import LANGUAGES, Base, read_base
from dockerflow_django.conformance.dockerfile.image import Copy, is_in_app
from dockerflow_django.conformance.dockerfile.stages import Dockerfile
from dockerflow_django.conformance.dockerfile.variables import is_known
from dockerflow_django.conformance.requirement import Finding, bad, ok, should, unseen

_GUIDE = "Dockerflow, building a container"
_PORT = "8000"
_CHOWN = re.compile(r"\bchown\s+(?:-\S+\s+)*(?:app|10001)\b[^&;|\n]*\s/app/?(?=\s|$)")
_OF_SOURCES = re.compile(r"[\"']?(?:\.|/app)(?:/|/\.\.\.)?(?:\[[^]]*\])?[\"']?")
_SECRET = re.compile(
    r"(?:SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_KEY)(?:_KEY)?$", re.IGNORECASE
)
_INSTALLS = re.compile(
    r"""\b(?P<tool>apt-get|apt|apk|dnf|microdnf|yum|pip3?|uv|poetry|pipenv|pdm|npm|yarn|pnpm|bundle|go|cargo)
    (?:\s+(?:pip|mod|-\S+))*
    \s+(?P<verb>install|add|sync|ci|download|fetch)\b(?P<rest>[^&;|\n]*)""",
    re.VERBOSE,
)


@should(
    "it is built on an official image of its language",
    source=_GUIDE,
    mend="FROM python, node, golang, rust or another official image, or be ready to say why not",
)
def official_base(dockerfile: Dockerfile) -> Finding:
    """Judge the base image's name."""
    reference, base = _base(dockerfile)
    if not is_known(reference):
        return unseen(f"{reference} is not known here")
    return (ok if base.official in LANGUAGES else bad)(reference)


@should("the base image is a slim one", source=_GUIDE, mend="take the tag with -slim")
def slim_base(dockerfile: Dockerfile) -> Finding:
    """Judge the base image's tag."""
    reference, base = _base(dockerfile)
    if base.is_small:
        return ok(reference)
    if not is_known(reference) or ("@" in reference and not base.tag):
        return unseen(f"{reference} does not say")
    return bad(reference)


@should(
    "what changes less comes earlier: dependencies are installed before the sources are copied",
    source=_GUIDE,
    mend="COPY the lists of dependencies alone, install, and COPY . after that",
)
def cacheable_order(dockerfile: Dockerfile) -> Finding:
    """Judge whether a change of the sources makes every dependency be installed again."""
    tools_before: set[str] = set()
    copied: Copy | None = None
    for step in dockerfile.image.steps:
        if isinstance(step, Copy):
            is_all = step.stage is None and any(
                s.rstrip("/") in {".", "$PWD"} for s in step.sources
            )
            copied = copied or (step if is_all else None)
            continue
        for found in _INSTALLS.finditer(step.text):
            if copied and found["tool"] not in tools_before and not _is_of_sources(found["rest"]):
                return bad(
                    f"line {step.line}: {found['tool']} {found['verb']} after line {copied.line}"
                )
            tools_before.add(found["tool"])
    return ok("nothing is installed after the sources")


@should(
    "the user app does not own what it runs",
    source=_GUIDE,
    mend="copy as root: the user needs to read the sources only",
)
def sources_are_read_only(dockerfile: Dockerfile) -> Finding:
    """Judge who owns what is copied to /app."""
    image = dockerfile.image
    for copy in image.copies:
        if is_in_app(copy.destination) and OURS.intersection(copy.owner.split(":")[:1]):
            return bad(f"line {copy.line}: --chown={copy.owner}")
    for run in image.runs:
        if owner := _CHOWN.search(run.text):
            return bad(f"line {run.line}: {' '.join(owner[0].split())}")
    return ok("root owns it")


@should(
    "ENTRYPOINT and CMD are lists, so that signals reach the service",
    source="Dockerfile reference, shell and exec form",
    mend='write them with brackets: CMD ["serve"]',
)
def exec_form(dockerfile: Dockerfile) -> Finding:
    """Judge the form of both commands: a shell in front keeps SIGTERM to itself."""
    image = dockerfile.image
    for name, command in (("ENTRYPOINT", image.entrypoint), ("CMD", image.command)):
        if isinstance(command, str) and not command.startswith("exec "):
            return bad(f"{name} {command}")
    has_none = image.entrypoint is None and image.command is None
    return unseen("neither is in this file") if has_none else ok("lists")


@should(
    "it listens on port 8000 by default",
    source="Dockerflow, recommendation 4",
    mend="ENV PORT=8000",
)
def default_port(dockerfile: Dockerfile) -> Finding:
    """Judge PORT, or the ports that the image exposes."""
    image = dockerfile.image
    shown = [image.env["PORT"]] if "PORT" in image.env else image.ports
    if not shown or not all(map(is_known, shown)):
        return unseen("neither ENV PORT nor EXPOSE says")
    return (ok if any(p.partition("/")[0] == _PORT for p in shown) else bad)(", ".join(shown))


@should(
    "no secret is kept in the image's environment",
    source="Dockerflow, building and testing 6",
    mend="give it when the container starts",
)
def no_secrets(dockerfile: Dockerfile) -> Finding:
    """Judge the names in ENV: whoever has the image can read the values."""
    env = dockerfile.image.env
    named = [name for name, value in env.items() if value and _SECRET.search(name)]
    return bad(f"ENV {', '.join(named)}") if named else ok("none by name")


RECOMMENDATIONS = (
    official_base,
    slim_base,
    cacheable_order,
    sources_are_read_only,
    exec_form,
    default_port,
    no_secrets,
)


def _base(dockerfile: Dockerfile) -> tuple[str, Base]:
    reference = dockerfile.image.base
    return reference, read_base(reference)


def _is_of_sources(rest: str) -> bool:
    """Tell whether the sources themselves are installed, which needs them."""
    words = rest.split()
    return any(map(_OF_SOURCES.fullmatch, words)) or "--no-deps" in words
