import io
import sys

import pytest

from dockerflow_django.client.command_line import (
    LINE_CHARACTERS,
    asks_for_help,
    complain,
    read_arguments,
    read_seconds,
    run,
    say,
    show,
)


def test_run_gives_the_arguments_and_returns_the_status(monkeypatch):
    """What main returns for the arguments of the process is the exit status."""
    monkeypatch.setattr(sys, "argv", ["program", "--wait", "3"])
    assert run(len) == 2


def test_interruption_is_a_failure(capsys):
    """Ctrl-C ends with 1 and a word, not with a traceback."""

    def main(arguments):
        raise KeyboardInterrupt

    assert run(main) == 1
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize(
    ("arguments", "expected"), [(["-h"], True), (["x", "--help"], True), (["x"], False)]
)
def test_help(arguments, expected):
    """Either spelling asks for help, wherever it stands."""
    assert asks_for_help(arguments) is expected


def test_arguments_in_any_order():
    """Options may stand behind the operands, with or without an equals sign."""
    given = ["place", "--timeout=3", "--wait", "4"]
    assert read_arguments(given, ["timeout=", "wait="], 1) == (
        {"--timeout": "3", "--wait": "4"},
        ["place"],
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--unknown"], "option --unknown not recognized"),
        (["--timeout"], "option --timeout requires argument"),
        (["http://user:secret@app", "other"], "too many arguments: 2, and at most 1"),
    ],
)
def test_arguments_that_are_wrong(arguments, message):
    """A wrong call raises one sentence, without the text of an operand."""
    with pytest.raises(ValueError, match=message):
        read_arguments(arguments, ["timeout="], 1)


@pytest.mark.parametrize("value", ["1", "1.5", "5"])
def test_seconds(value):
    """A number within the bounds is read, the bounds included."""
    assert read_seconds("--wait", value, 1, 5) == float(value)


@pytest.mark.parametrize("value", ["", "soon", "nan", "inf", "-1", "0.9", "5.1"])
def test_seconds_that_are_none(value):
    """Anything else is named, with the bounds."""
    with pytest.raises(ValueError, match=r"--wait '.*' is no number of seconds from 1 to 5"):
        read_seconds("--wait", value, 1, 5)


def test_one_line_is_one_line(capsys):
    """What a server sent cannot break the line, move the cursor or fill the screen."""
    complain("a\r\nb \x1b[2J\x00" + "c" * 5000)
    line = capsys.readouterr().err
    assert line.startswith("a b ?[2J?ccc")
    assert line.endswith("c...\n")
    assert len(line) == LINE_CHARACTERS + 1


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("x: 'amqp://ada:s3cret@h:5/' y", "x: 'amqp://[redacted]@h:5/' y"),
        ("redis://:s3c/ret@h/0 and //s3cret@h", "redis://[redacted]@h/0 and //[redacted]@h"),
        ("amqp://ada:s3@cret@h", "amqp://[redacted]@h"),
        ("http://h:8000/a@b http://h/a:b@c //", "http://h:8000/a@b http://h/a:b@c //"),
        ("ada@example.com and http://h/", "ada@example.com and http://h/"),
    ],
)
def test_passwords_of_urls_are_hidden(capsys, line, shown):
    """A URL may stand where it does not belong, and the line goes to the container's log."""
    say(line)
    complain(line)
    assert capsys.readouterr() == (f"{shown}\n", f"{shown}\n")


def test_several_lines_are_shown_as_they_are(capsys):
    """Our own text keeps its lines."""
    show("a\n  b")
    assert capsys.readouterr().out == "a\n  b\n"


def test_a_letter_that_the_terminal_lacks(monkeypatch):
    """A terminal without a letter gets the rest of the line."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    say("für")
    assert raw.getvalue() == b"f\\xfcr\n"


def test_no_standard_output_at_all(monkeypatch):
    """Where standard output was closed before the start, a line is lost without an error."""
    monkeypatch.setattr(sys, "stdout", None)
    say("line")


def test_standard_output_that_is_full(monkeypatch):
    """A line that cannot be written is lost, and is not tried again at exit."""
    with open("/dev/full", "w", encoding="utf-8") as full:  # noqa: PTH123 - a device
        monkeypatch.setattr(sys, "stdout", full)
        say("line")
        full.write("written to nowhere")
        full.flush()


def test_user_info_at_the_end_of_a_long_line(capsys):
    """A password is hidden also if the cut takes the @ behind it."""
    before = "x" * (LINE_CHARACTERS - 30)
    complain(f"{before} http://ada:hunter2hunter2hunter2@shop.example/")
    said = capsys.readouterr().err
    assert "hunter2" not in said
    assert len(said.rstrip()) <= LINE_CHARACTERS
