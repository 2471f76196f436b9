"""Tests of the system checks, a module for each module of rules."""

from django.core.checks import CheckMessage, run_checks

from dockerflow_django.system_checks import TAG


def messages(id_: str, *, deploy: bool = False) -> list[CheckMessage]:
    """Return what ``manage.py check`` says under that id."""
    found = run_checks(tags=[TAG], include_deployment_checks=deploy)
    return [message for message in found if message.id == id_]


def sentences(id_: str, *, deploy: bool = False) -> list[str]:
    """Return the texts alone; every message has a hint."""
    found = messages(id_, deploy=deploy)
    assert all(message.hint for message in found)
    return [message.msg for message in found]


class Incomparable:
    """A function of a project's that nothing may be compared with."""

    __hash__ = None

    def __call__(self, app_configs: object, **kwargs: object) -> list[object]:
        return []

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")
