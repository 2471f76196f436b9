"""How a check says that something failed: a fixed sentence outside, the cause for the log."""

from collections.abc import Callable

from django.core.checks import CheckMessage

from dockerflow_django.logging.sanitising import scrub

CAUSE_LENGTH = 500


def failure(
    kind: Callable[..., CheckMessage], sentence: str, id_: str, cause: BaseException | None
) -> CheckMessage:
    """Make a message of `kind` whose ``cause`` attribute, a string, only the log shows."""
    message = kind(sentence, id=id_)
    message.cause = describe(cause)  # type: ignore[attr-defined]
    return message


def describe(cause: BaseException | None) -> str:
    """Return the exception's class and first line, without credentials, or an empty string."""
    if cause is None:
        return ""
    first_line = next(iter(str(cause).splitlines()), "")
    return scrub(f"{type(cause).__name__}: {first_line}".rstrip(": "))[:CAUSE_LENGTH]
