"""MozlogHandler writes mozlog, by default to standard output."""

import logging

from dockerflow_django.logging import MozlogFormatter, MozlogHandler
from dockerflow_django.logging.envelope import LOGGER
from tests.logging.lines import make_record, parse


def test_standard_output_by_default(logger, capsys):
    """Without arguments lines go to standard output, under the default name."""
    logger.addHandler(MozlogHandler())
    logger.info("hello")
    captured = capsys.readouterr()
    assert parse(captured.out.removesuffix("\n"))[LOGGER] == "Dockerflow"
    assert captured.err == ""


def test_stream_and_name(logger, stream):
    """Stream and name may be given."""
    logger.addHandler(MozlogHandler(stream, "shop"))
    logger.info("hello")
    assert parse(stream.getvalue().removesuffix("\n"))[LOGGER] == "shop"


def test_name_goes_before_the_formatters(stream):
    """A handler that was given a name uses it with any mozlog formatter, which stays as it was."""
    formatter = MozlogFormatter(logger_name="formatter")
    named, unnamed = MozlogHandler(stream, "handler"), MozlogHandler(stream)
    for handler in (named, unnamed):
        handler.setFormatter(formatter)
    record = make_record("x")
    assert parse(named.format(record))[LOGGER] == "handler"
    assert parse(unnamed.format(record))[LOGGER] == "formatter"
    assert formatter.logger_name == "formatter"


def test_other_formatter(stream):
    """Another formatter, or none, may be set."""
    handler = MozlogHandler(stream, "handler")
    plain = logging.Formatter("%(message)s")
    handler.setFormatter(plain)
    assert handler.formatter is plain
    handler.setFormatter(None)
    assert handler.formatter is None


def test_two_handlers_do_not_disturb_each_other(logger, stream):
    """A second handler's lines bear its own name, and the record stays as it was (D31)."""
    other = logging.StreamHandler(stream)
    other.setFormatter(MozlogFormatter(logger_name="second"))
    logger.addHandler(MozlogHandler(stream, "first"))
    logger.addHandler(other)
    seen = []
    logger.addFilter(lambda record: seen.append(record) or True)
    logger.info("hello")
    first, second = map(parse, stream.getvalue().splitlines())
    assert (first[LOGGER], second[LOGGER]) == ("first", "second")
    assert not hasattr(seen[0], "logger_name")
