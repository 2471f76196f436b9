"""What a line says about an exception: its class and the first line of its text."""

from dockerflow_django.logging.scrubbing import scrub

MAX_LENGTH = 500
# More than is shown, so that a secret is recognised before it is cut; less than what takes long.
_MAX_SCRUBBED = 4 * MAX_LENGTH


def describe(error: BaseException) -> str:
    """Return the exception's class and the first line of its text, without secrets."""
    try:
        text = str(error).strip()[:_MAX_SCRUBBED]
    except BaseException:  # noqa: BLE001 - a class may be wrong in its own `__str__`
        text = ""
    first_line = shorten(text.splitlines()[0]) if text else ""
    name = type(error).__name__
    return (f"{name}: {first_line}" if first_line else name)[:MAX_LENGTH]


def shorten(text: str) -> str:
    """Return the text without secrets, and not too long for a line."""
    return scrub(text[:_MAX_SCRUBBED])[:MAX_LENGTH]
