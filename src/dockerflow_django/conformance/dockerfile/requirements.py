"""What Dockerflow demands of a Dockerfile."""

from __future__ import annotations

import re

from dockerflow_django.conformance.dockerfile.accounts import (
    NAME,
    NUMBER,
    OURS,
    Accounts,
    find_accounts,
    is_app,
)
from dockerflow_django.conformance.dockerfile.bases import SCRATCH, read_base
from dockerflow_django.conformance.dockerfile.image import Image, is_in_app
from dockerflow_django.conformance.dockerfile.stages import Dockerfile
from dockerflow_django.conformance.dockerfile.variables import is_known
from dockerflow_django.conformance.requirement import Finding, bad, must, ok, unseen

_SOURCE = "Dockerflow, Dockerfile requirement"
_ACCOUNT_FILES = {"/", "/etc", "/etc/passwd", "/etc/group"}
_FETCHES = re.compile(r"\b(?:git\s+clone|cp|mv|tar|curl|wget|unzip|rsync|install)\b")


@must("sources are copied to /app", source=f"{_SOURCE} 1", mend="WORKDIR /app and COPY . /app")
def sources_in_app(dockerfile: Dockerfile) -> Finding:
    """Judge where files are copied to."""
    image = dockerfile.image
    for copy in image.copies:
        if is_in_app(copy.destination):
            return ok(f"line {copy.line}: {copy.destination}")
    unknown = [copy for copy in image.copies if not is_known(copy.destination)]
    if unknown:
        return unseen(f"line {unknown[0].line}: {unknown[0].destination} is not known here")
    for run in image.runs:
        if _FETCHES.search(run.text) and ("/app" in run.text or is_in_app(image.workdir)):
            return unseen(f"line {run.line}: a command may bring them")
    if not image.copies and not _is_known(image):
        return unseen(_inherited(image))
    places = ", ".join(dict.fromkeys(copy.destination for copy in image.copies))
    return bad(f"copied to {places}" if places else "nothing is copied")


@must(
    "there is a group app with the number 10001",
    source=f"{_SOURCE} 2",
    mend="RUN groupadd --gid 10001 app",
)
def group(dockerfile: Dockerfile) -> Finding:
    """Judge the group's name and number."""
    accounts = _accounts(dockerfile)
    if NAME not in accounts.groups:
        return _absent(dockerfile, accounts, "no group app is made")
    number = accounts.groups[NAME]
    return _number(number, "group app")


@must(
    "there is a user app with the number 10001, in the group app",
    source=f"{_SOURCE} 3",
    mend="RUN useradd --uid 10001 --gid app app",
)
def user(dockerfile: Dockerfile) -> Finding:
    """Judge the user's name, number and group."""
    accounts = _accounts(dockerfile)
    found = accounts.users.get(NAME)
    if found is None:
        return _absent(dockerfile, accounts, "no user app is made")
    number = _number(found.uid, "user app")
    if not number.met:
        return number
    groups = [found.group or "", *found.groups]
    if OURS.intersection(groups):
        return number
    if any("$" in group for group in groups):
        return unseen("its group is not known here")
    return bad("user app is not in the group app")


@must(
    "both ENTRYPOINT and CMD start the service",
    source=f"{_SOURCE} 4",
    mend='add what lacks: ENTRYPOINT ["/app/entrypoint"], CMD ["serve"]',
)
def entrypoint_and_cmd(dockerfile: Dockerfile) -> Finding:
    """Judge whether both are there, in this file or in what it is built on."""
    image = dockerfile.image
    base = read_base(image.base)
    missing = []
    if image.entrypoint is None and base.has_no_entrypoint:
        missing.append("ENTRYPOINT")
    # ENTRYPOINT takes the base image's CMD away.
    if image.command is None and (image.forgot_command or base.official == SCRATCH):
        missing.append("CMD")
    if missing:
        return bad(f"no {' and no '.join(missing)}")
    inherited = image.entrypoint is None or image.command is None
    return unseen(_inherited(image)) if inherited else ok("both")


@must("USER app is the default user", source=f"{_SOURCE} 5", mend="end the stage with USER app")
def default_user(dockerfile: Dockerfile) -> Finding:
    """Judge the user that the container has unless somebody asks for another."""
    image = dockerfile.image
    if image.user is None:
        return bad("no USER: it is root") if _is_known(image) else unseen(_inherited(image))
    if not is_known(image.user):
        return unseen(f"USER {image.user} is not known here")
    return (ok if is_app(image.user) else bad)(f"USER {image.user}")


REQUIREMENTS = (sources_in_app, group, user, entrypoint_and_cmd, default_user)


def _is_known(image: Image) -> bool:
    """Tell whether the base image is one that is known to have no user app and no sources."""
    return read_base(image.base).official is not None


def _inherited(image: Image) -> str:
    return f"not in this file: the base image {image.base} may have it"


def _accounts(dockerfile: Dockerfile) -> Accounts:
    image = dockerfile.image
    texts = [run.text for run in image.runs]
    may_be_more = False
    for copy in image.copies:
        if copy.destination not in _ACCOUNT_FILES:
            continue
        texts += copy.heredocs
        source = dockerfile.images.get(copy.stage or "")
        texts += [run.text for run in source.runs] if source else []
        may_be_more |= source is None and not copy.heredocs
    accounts = find_accounts(texts)
    accounts.may_be_more |= may_be_more
    return accounts


def _absent(dockerfile: Dockerfile, accounts: Accounts, fault: str) -> Finding:
    if not _is_known(dockerfile.image):
        return unseen(_inherited(dockerfile.image))
    return unseen(f"{fault} by a command that can be read") if accounts.may_be_more else bad(fault)


def _number(number: str | None, whose: str) -> Finding:
    if number == NUMBER:
        return ok(f"{whose} has {number}")
    if number and "$" in number:
        return unseen(f"{number} is not known here")
    return bad(f"{whose} has {number or 'no fixed number'}")
