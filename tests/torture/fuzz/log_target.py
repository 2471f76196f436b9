"""Format and scrub what atheris makes: ``python -m tests.torture.fuzz.log_target``.

The last two bytes of an input choose what is done with the text before them. It is run in a process
of its own, which ends with a traceback at the first promise that is broken.
"""

import json
import sys
import time
from pathlib import Path

import atheris

# Before the tests' own modules import them as they are.
with atheris.instrument_imports(include=["dockerflow_django"]):
    from dockerflow_django.logging import ConsoleFormatter, MozlogFormatter
    from dockerflow_django.logging.scrubbing import scrub

from tests.logging.lines import make_record, parse, raised
from tests.logging.secrets import FORMS, OTHERS, SECRET, STAYS, WORDS
from tests.logging.test_linear_time import BEFORE, RECORDS

# The bound: this, and so much more for each byte. Where time grows with the square of the length,
# what takes a microsecond a byte in a short text takes hundreds in one of this length.
LEAST_SECONDS, MOST_MICROSECONDS = 0.02, 20.0
PUMPED_BYTES = 16_384

MOZLOG, CONSOLE = MozlogFormatter(), ConsoleFormatter(color=False)
NOT_TO_CLOSE = str.maketrans("", "", "\"'()[]{}<>%&\\")
PLANTED = [form(word, SECRET) for form in FORMS.values() for word in ("password", "api_key")]
PLANTED += [text for text in OTHERS if SECRET in text]


def any_logger(text: str, choice: int) -> int:
    """Write a record in the way that a server or Django does; return the length of the text."""
    build = list(RECORDS.values())[choice % len(RECORDS)]
    parse(MOZLOG.format(build(text)))
    return len(text)


def every_part(text: str, choice: int) -> int:
    """Write a record that has the text everywhere."""
    record = make_record(
        "%s " + text, (text,), exc_info=raised(ValueError(text)), it=[{text: text}]
    )
    parse(MOZLOG.format(record))
    return 5 * len(text)


def planted(text: str, choice: int) -> int:
    """Hide what is secret beside any text: in a message, an argument, an extra, an exception.

    The text has a line of its own, and no quotes and brackets: an open one takes what follows.
    """
    secret = PLANTED[choice % len(PLANTED)]
    text = text.translate(NOT_TO_CLOSE).replace(SECRET[:4], "")
    record = make_record("%s\n%s", (text, secret), exc_info=raised(ValueError(secret)), it=[secret])
    record.other = text
    for form in (MOZLOG.format, CONSOLE.format):
        assert SECRET not in form(record), secret
    return 2 * len(text) + 4 * len(secret)


def for_people(text: str, choice: int) -> int:
    """Write one line, and below it only lines that are set in."""
    lines = CONSOLE.format(make_record(text, it=text)).splitlines()
    assert all(line.startswith("    ") for line in lines[1:])
    return 2 * len(text)


def pumped(text: str, choice: int) -> int:
    """Scrub the text over and over, after what leaves no part out as harmless."""
    long = BEFORE + text * (PUMPED_BYTES // max(1, len(text)))
    assert isinstance(scrub(long), str)
    return len(long)


DEEDS = (any_logger, every_part, planted, for_people, pumped)


def one_input(data: bytes) -> None:
    """Do what the input says within the bound, and note the most that a byte has taken."""
    text = data[:-2].decode(errors="surrogateescape")
    deed = DEEDS[data[-2] % len(DEEDS)] if len(data) > 1 else pumped
    choice = data[-1] if data else 0
    spent, length = _spent(deed, text, choice)
    if spent > LEAST_SECONDS + length * MOST_MICROSECONDS / 1e6:
        again, length = _spent(deed, text, choice)
        spent = min(spent, again)
    assert spent <= LEAST_SECONDS + length * MOST_MICROSECONDS / 1e6, (spent, length)
    _note(deed.__name__, spent, length)


def _spent(deed, text: str, choice: int) -> tuple[float, int]:
    """Return the seconds of this thread on a processor: other programs do not count."""
    began = time.thread_time()
    length = deed(text, choice)
    return time.thread_time() - began, length


_worst: dict[str, float] = {}


def _note(deed: str, spent: float, length: int) -> None:
    if length < PUMPED_BYTES // 4 or spent * 1e6 / length <= _worst.get(deed, 0.0):
        return
    _worst[deed] = spent * 1e6 / length
    Path("worst.json").write_text(json.dumps(_worst))


def write_corpus(folder: Path) -> None:
    """Write a few texts to begin with, for each deed."""
    folder.mkdir()
    texts = [*PLANTED[::5], *OTHERS[::5], *STAYS[::5], *(f"{word}=x" for word in WORDS[::3])]
    for number, text in enumerate(texts):
        chosen = bytes([number % len(DEEDS), number % 256])
        (folder / f"{number}").write_bytes(text.encode() + chosen)


def main() -> None:
    import django

    django.setup()
    write_corpus(Path("corpus"))
    atheris.Setup([*sys.argv, "corpus"], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
