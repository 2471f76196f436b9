"""Regular expressions that are compiled when they are first used."""

import json
import re
import subprocess
import sys
import threading

import pytest

from dockerflow_django.logging.expression import expression
from tests.harness.project import unmeasured

# Each depth has a process of its own, forked before anything is compiled, or after all is.
NEAR_THE_LIMIT = r"""
import json, logging, os, sys
from dockerflow_django.logging import MozlogFormatter

formatter = MozlogFormatter()

def record(name):
    text = f"no answer: {name}=hunter2 of https://shop:hunter2@db/"
    return logging.LogRecord("shop", logging.INFO, "shop.py", 1, text, (), None)

def descend(frames):
    return descend(frames - 1) if frames else formatter.format(record("password"))

def outcome(frames):
    try:
        line = descend(frames)
    except RecursionError:
        return "lost"
    return "written" if '"msg"' in line and "hunter2" not in line else line

def in_a_child(frames):
    reader, writer = os.pipe()
    if not os.fork():
        os.write(writer, outcome(frames).encode())
        os._exit(0)
    os.wait()
    os.close(writer)
    with open(reader) as answer:
        return answer.read()

depths = range(sys.getrecursionlimit() - 200, sys.getrecursionlimit())
first = [in_a_child(frames) for frames in depths]
formatter.format(record("passphrase"))
print(json.dumps([first, [in_a_child(frames) for frames in depths]]))
"""
# Of the cache, of the function in it, and of the one that has a thread compile.
FRAMES_TO_COMPILE = 3


@pytest.mark.long
def test_the_first_secret_needs_no_deep_stack():
    """Near the recursion limit a record with the first is written nearly as deep as with a second.

    At depths beyond, the error is the caller's: `logging` passes a RecursionError on.
    """
    done = subprocess.run(
        [sys.executable, "-c", NEAR_THE_LIMIT],
        capture_output=True,
        check=True,
        env=unmeasured(),
        text=True,
        timeout=60,
    )
    first, second = json.loads(done.stdout)
    assert set(first) == set(second) == {"written", "lost"}
    assert second.count("lost") <= first.count("lost") <= second.count("lost") + FRAMES_TO_COMPILE
    assert first == sorted(first, reverse=True), "once the stack is too deep, deeper is not better"


def attempts_at_the_limit(compile_it):
    """Call it as deep as it can be called; return how often it could not, and what it returned."""
    failed = []

    def descend():
        try:
            return descend()
        except RecursionError:
            failed.append(1)
            return compile_it()

    found = descend()
    return len(failed), found


def test_it_is_compiled_where_re_cannot():
    """Near the recursion limit a thread does it."""
    pattern = r"(?:one|(?:two|(?:three|four)+)+)+"
    re.purge()
    needed, found = attempts_at_the_limit(expression(pattern))
    assert found.fullmatch("onefour")
    re.purge()
    assert needed + 3 < attempts_at_the_limit(lambda: re.compile(pattern))[0]


def test_an_expression_is_compiled_once():
    """It is an ordinary pattern, which `re` and `isinstance` take."""
    words = expression(r"[a-z]+", re.IGNORECASE)
    assert isinstance(words(), re.Pattern)
    assert words() is words()
    assert re.sub(words(), "-", "One 2 three") == "- 2 -"


def test_a_pattern_that_is_none_says_so():
    """The error is that of `re.compile`."""
    with pytest.raises(re.error, match="unterminated"):
        expression("(")()


def test_without_a_frame_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be compiled on this stack is compiled on another one, with its flags."""
    stack = threading.get_ident()
    pattern = "passwor[d]"
    compiled_on: list[int] = []

    def compile_(text: str, flags: int = 0) -> re.Pattern[str]:
        if text == pattern:  # What measures or mutates the code compiles expressions, too.
            compiled_on.append(threading.get_ident())
            if threading.get_ident() == stack:
                raise RecursionError
        return compile_here(text, flags)

    compile_here = re.compile
    monkeypatch.setattr(re, "compile", compile_)
    assert expression(pattern, re.IGNORECASE)().fullmatch("PASSWORD")
    first, second = compiled_on
    assert first == stack != second
