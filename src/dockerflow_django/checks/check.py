"""A check as it is configured: what to call, and how."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core import checks
from django.db import connections
from django.utils.module_loading import import_string

from dockerflow_django.checks import functions
from dockerflow_django.checks.functions import CheckFunction, Target
from dockerflow_django.checks.messages import failure
from dockerflow_django.health import CRITICAL_CHECK_NOT_IMPORTABLE


@dataclass(frozen=True)
class Check:
    """A function in Django's form, or its path, and how to call it.

    `timeout` and `every` are in seconds, `fail_level` is one of the levels of Django's checks; None
    takes the setting's. A check with `once` is not asked again in this process after it has
    answered without a message.
    """

    target: Target
    keywords: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None
    every: float | None = None
    fail_level: int | None = None
    once: bool = False
    tags: frozenset[str] = frozenset()
    source: str = ""

    @property
    def key(self) -> Hashable:
        """What two probes that list the check have in common, whatever options they give it.

        They share its runs. A check that a test has replaced is another one.
        """
        replacement = functions.replacements.get(self.identity)
        asked = self.identity if replacement is None else ("replacement", replacement)
        return (asked, functions.fingerprint(self.keywords))

    @property
    def identity(self) -> Hashable:
        """What is asked, without the keywords."""
        return functions.identity_of(self.target)

    @property
    def name(self) -> str:
        """The name of the function, or of the class of a callable object."""
        return functions.name_of(self.target)

    @property
    def module(self) -> str:
        """The module that the function, or the class of the callable object, comes from."""
        return functions.module_of(self.target)

    def call(self) -> Any:
        """Call the function as Django calls a check; what it returns or raises is its answer.

        A path is imported here, in the check's own run: that may take long, and raise anything.
        """
        try:
            function = self._function()
        except Exception as error:  # noqa: BLE001 - importing a project's module may raise anything
            sentence = f"The check {self.target} cannot be imported ({type(error).__name__})."
            return [failure(checks.Critical, sentence, CRITICAL_CHECK_NOT_IMPORTABLE, error)]
        keywords: dict[str, Any] = {"app_configs": None}
        if functions.takes(function, "databases"):
            keywords["databases"] = list(connections)
        return function(**{**keywords, **self.keywords})

    def _function(self) -> CheckFunction:
        replacement = functions.replacements.get(self.identity)
        if replacement is not None:
            return replacement
        function: CheckFunction = (
            import_string(self.target) if isinstance(self.target, str) else self.target
        )
        return function
