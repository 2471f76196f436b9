"""What a failing check says: a fixed sentence for everyone, the cause for the log."""

from collections.abc import Callable

from django.core.checks import CheckMessage

from dockerflow_django.logging.sanitising import scrub

CAUSE_ATTRIBUTE = "cause"
MAXIMUM_LENGTH = 500


def failure(
    kind: Callable[..., CheckMessage],
    sentence: str,
    message_id: str,
    cause: BaseException | str | None = None,
) -> CheckMessage:
    """Make a message that carries its cause beside the sentence.

    ``kind`` is one of Django's message classes. The sentence is public: it names an alias or a
    queue, never an address or an exception's text. What happened goes into ``cause``, scrubbed
    and on one line, for whoever logs the change of state.
    """
    message = kind(sentence, id=message_id)
    setattr(message, CAUSE_ATTRIBUTE, scrub(_describe(cause))[:MAXIMUM_LENGTH])
    return message


def cause_of(message: CheckMessage) -> str:
    """Return what `failure` has put beside the sentence, empty for any other message."""
    cause: str = getattr(message, CAUSE_ATTRIBUTE, "")
    return cause


def _describe(cause: BaseException | str | None) -> str:
    if not isinstance(cause, BaseException):
        return cause or ""
    name = type(cause).__name__
    lines = str(cause).strip().splitlines()
    return f"{name}: {lines[0]}" if lines else name
