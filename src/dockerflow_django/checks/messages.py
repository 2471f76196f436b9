"""What a failing check says: a fixed sentence for everyone, the cause for the log."""

from collections.abc import Callable

from django.core.checks import CheckMessage

from dockerflow_django.logging.description import describe, shorten

CAUSE_ATTRIBUTE = "cause"


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
    text = describe(cause) if isinstance(cause, BaseException) else shorten(cause or "")
    setattr(message, CAUSE_ATTRIBUTE, text)
    return message


def cause_of(message: CheckMessage) -> str:
    """Return what `failure` has put beside the sentence, empty for any other message."""
    cause: str = getattr(message, CAUSE_ATTRIBUTE, "")
    return cause
