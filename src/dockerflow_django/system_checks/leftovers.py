"""Rules about what a move from python-dockerflow left behind, or took too far."""

import logging
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec

from django.conf import settings
from django.core.checks import Error, Warning  # noqa: A004 - Django's name
from django.utils.module_loading import import_string

from dockerflow_django.client.old_names import NEVER_CALLED, OldName, renamed
from dockerflow_django.middleware import DockerflowMiddleware
from dockerflow_django.system_checks.rule import Finding, rule
from dockerflow_django.system_checks.written import texts

_OLD_LOGGERS = ("dockerflow", "dockerflow.")
_NEW_LOGGERS = {"dockerflow.checks.registry": "dockerflow_django.checks"}


def is_leftover(path: str) -> bool:
    """Tell whether a dotted path leads into python-dockerflow."""
    found = _whole(path)
    return found is not None and not _is_id(found)


@rule("dockerflow.E007", Error)
def check_nothing_is_left_of_python_dockerflow() -> Iterator[Finding]:
    """Find settings that still name python-dockerflow's modules."""
    for place, path in texts():
        found = _whole(path)
        if found is not None and not _is_id(found):
            yield Finding(f"{place} is python-dockerflow's {path!r}.", f"Write {found.instead!r}.")


@rule("dockerflow.W014", Warning)
def check_ids_are_as_they_were() -> Iterator[Finding]:
    """Find ids of messages that a search and replace has changed with the modules' names."""
    for place, text in texts(keys=True):
        found = _whole(text)
        if found is not None and _is_id(found):
            yield Finding(
                f"{place} is {text!r}, but the ids of messages are those of python-dockerflow.",
                f"Write {found.instead!r}.",
            )


@rule("dockerflow.W015", Warning)
def check_loggers_have_their_new_names() -> Iterator[Finding]:
    """Find loggers of python-dockerflow that are set up, and get no record any more."""
    if _is_the_projects_own("dockerflow"):
        return
    for name, logger in sorted(logging.root.manager.loggerDict.items()):
        is_old = name == _OLD_LOGGERS[0] or name.startswith(_OLD_LOGGERS[1])
        if is_old and isinstance(logger, logging.Logger) and (logger.handlers or logger.level):
            yield Finding(
                f"The logger {name!r} is set up, but python-dockerflow's: nothing logs to it.",
                f"Give the name {_NEW_LOGGERS.get(name, 'dockerflow_django')!r} to it.",
            )


@rule("dockerflow.W016", Warning)
def check_overridden_methods_are_called() -> Iterator[Finding]:
    """Find middlewares made from ours that override what python-dockerflow's class had."""
    for path in settings.MIDDLEWARE:
        for name in _overridden(path):
            yield Finding(
                f"{path} has {name!r}, which python-dockerflow's middleware calls and ours does "
                "not.",
                f"In its place there is {NEVER_CALLED[name]}.",
            )


def _overridden(path: str) -> list[str]:
    try:
        found = import_string(path)
    except Exception:  # noqa: BLE001 - what does not import, Django reports when it loads it
        return []
    if not (isinstance(found, type) and issubclass(found, DockerflowMiddleware)):
        return []
    return [name for name in NEVER_CALLED if hasattr(found, name)]


def _whole(text: str) -> OldName | None:
    """Return the old name that is all of the text, None if there is none."""
    return next((old for old in renamed(text) if old.found == text), None)


def _is_id(old: OldName) -> bool:
    return old.found.startswith("dockerflow_django.")


def _is_the_projects_own(package: str) -> bool:
    """Tell whether a package of that name is there that is not python-dockerflow's."""
    if find_spec(package) is None:
        return False
    try:
        distribution(package)
    except PackageNotFoundError:
        return True
    return False
