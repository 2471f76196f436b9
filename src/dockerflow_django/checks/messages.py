"""What a failing check says: a fixed sentence for everyone, the cause for the log."""

import traceback
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

    An exception's frames are cleared: a driver's connection that failed, and is held by nothing
    else, is closed now, not when Python next collects garbage.
    """
    message = kind(sentence, id=message_id)
    if isinstance(cause, BaseException):
        text = describe(cause)
        _clear_frames(cause)
    else:
        text = shorten(cause or "")
    setattr(message, CAUSE_ATTRIBUTE, text)
    return message


def cause_of(message: CheckMessage) -> str:
    """Return what `failure` has put beside the sentence, empty for any other message."""
    cause: str = getattr(message, CAUSE_ATTRIBUTE, "")
    return cause


def _clear_frames(error: BaseException) -> None:
    """Clear the finished frames of the exception, and of those that it was raised from.

    psycopg's frame refers to the exception, whose traceback refers to the frame: this cycle keeps
    the socket open. Running frames are left alone, and so is ``__context__``: that may be what the
    caller is handling.
    """
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        traceback.clear_frames(cause.__traceback__)
        cause = cause.__cause__
