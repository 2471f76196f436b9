"""Planted secrets: each tells where it was planted, in whatever form it comes out."""

import base64
import re
import secrets
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

from tests.torture.figures import Figures

# Half of a secret is 40 bits of hex digits: enough to be nothing else, and two halves are told
# apart in what has been cut.
HALF_BYTES = 5
# What may stand between two parts of a secret that something has broken in lines.
_BREAKS = re.compile(r"\\+[nrt]|[\s\"'|]+")


class Secrets:
    """What was planted, and what came out."""

    def __init__(self) -> None:
        self._places: dict[str, str] = {}
        self._controls: set[str] = set()
        self._outputs: defaultdict[str, list[str]] = defaultdict(list)

    def plant(self, place: str, joint: str = "") -> str:
        """Return a new secret, its halves joined by what is hard to quote."""
        halves = [secrets.token_hex(HALF_BYTES) for _ in range(2)]
        self._places |= {form: place for half in halves for form in _forms(half)}
        return joint.join(halves)

    def control(self, place: str) -> str:
        """Return one that has to be found: no name and no form tells that it is a secret."""
        self._controls.add(place)
        return self.plant(place)

    def keep_only(self, *texts: str) -> None:
        """Forget what is in none of the texts: it was planted for what is not run."""
        joined = "\n".join(texts)
        used = {place for form, place in self._places.items() if form in joined}
        self._places = {form: place for form, place in self._places.items() if place in used}

    def search(self, channel: str, *texts: str | bytes) -> None:
        """Take what came out there, to be searched."""
        self._outputs[channel] += map(_text, texts)

    @cached_property
    def found(self) -> set[tuple[str, str]]:
        """What was found, as pairs of the channel and the place where it was planted."""
        return {found for channel in self._outputs for found in self._found_in(channel)}

    @property
    def leaks(self) -> set[tuple[str, str]]:
        return {(channel, place) for channel, place in self.found if place not in self._controls}

    def assert_kept(self, *channels: str) -> None:
        """Fail if one came out anywhere, or if no control was found in one of the channels."""
        assert not self.leaks, "\n".join(self._around_leaks())
        assert set(channels) <= {channel for channel, _ in self.found}, self.found

    def note(self, figures: Figures, case: str) -> None:
        """Note how many were searched for, in what, and how many were found."""
        figures.note(
            "Leaks",
            case,
            secrets=len({*self._places.values()} - self._controls),
            channels=len(self._outputs),
            characters_searched=f"{sum(len(''.join(texts)) for texts in self._outputs.values()):,}",
            secrets_found=len(self.leaks),
        )

    def _around_leaks(self) -> Iterator[str]:
        """Yield what stands around the first of each leak: for whoever mends it."""
        for channel, place in sorted(self.leaks):
            forms = [form for form in self._places if self._places[form] == place]
            text = "\n".join(self._outputs[channel])
            starts = [text.find(form) for form in forms if form in text]
            yield f"{channel}, {place}: " + (
                text[max(0, min(starts) - 200) :][:300] if starts else "?"
            )

    def _found_in(self, channel: str) -> Iterator[tuple[str, str]]:
        text = "\n".join(self._outputs[channel])
        lowered = _BREAKS.sub("", text).lower()
        for form, place in self._places.items():
            if form in text or form in lowered:
                yield channel, place


def _text(text: str | bytes) -> str:
    # A file of metrics is mostly zeros.
    return text.replace(b"\0", b"").decode("latin-1") if isinstance(text, bytes) else text


def _forms(half: str) -> Iterator[str]:
    """Yield how a part of a secret may be written; Base64 has three ways, by where it begins."""
    yield half
    yield half.encode().hex()
    yield "".join(f"%{byte:02x}" for byte in half.encode())
    for before in range(3):
        written = base64.b64encode(b"-" * before + half.encode() + b"-" * 3).decode()
        yield written[(before * 8 + 5) // 6 : (before + len(half)) * 8 // 6]
