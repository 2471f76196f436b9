"""What a failing check says: a fixed sentence for everyone, the cause for the log."""

from collections.abc import Callable

from django.core.checks import CheckMessage

from dockerflow_django.logging.scrubbing import scrub

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
    setattr(message, CAUSE_ATTRIBUTE, describe(cause))
    return message


def cause_of(message: CheckMessage) -> str:
    """Return what `failure` has put beside the sentence, empty for any other message."""
    cause: str = getattr(message, CAUSE_ATTRIBUTE, "")
    return cause


def describe(cause: BaseException | str | None) -> str:
    """Return the cause on one line: an exception's class and first line, scrubbed and bounded."""
    if not isinstance(cause, BaseException):
        return scrub(cause or "")[:MAXIMUM_LENGTH]
    lines = str(cause).strip().splitlines()
    text = ": ".join([type(cause).__name__, *lines[:1]])
    return scrub(text)[:MAXIMUM_LENGTH]
