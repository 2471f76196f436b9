"""The arguments of `logging.Formatter` mean here what they mean there."""

import io
import logging
import logging.config
import sys

import pytest

from dockerflow_django.logging import ConsoleFormatter, MozlogFormatter
from dockerflow_django.logging.formatter import DEFAULT_LOGGER_NAME
from tests.logging.lines import fields_of, make_record, parse

MOZLOG = "dockerflow_django.logging.MozlogFormatter"
CONSOLE = "dockerflow_django.logging.ConsoleFormatter"
FORMATS = [("%", "%(module)s"), ("{", "{module}"), ("$", "${module}")]


@pytest.mark.parametrize(("style", "fmt"), FORMATS)
@pytest.mark.parametrize("validate", [True, False])
def test_by_position(style, fmt, validate):
    """`logging.config` passes four."""
    formatter = MozlogFormatter(fmt, None, style, validate)
    assert formatter.logger_name == DEFAULT_LOGGER_NAME
    assert fields_of(formatter.format(make_record("x")))["module"] == "shop"
    assert "module=shop" in ConsoleFormatter(fmt, None, style, validate).format(make_record("x"))


def test_python_dockerflows_fourth_is_the_name():
    """By position and by keyword."""
    assert MozlogFormatter(None, None, "%", "shop").logger_name == "shop"
    assert MozlogFormatter(None, None, "%", "shop", False).logger_name == "shop"
    assert MozlogFormatter(logger_name="shop", validate=True).logger_name == "shop"


@pytest.mark.parametrize("kind", [MozlogFormatter, ConsoleFormatter, logging.Formatter])
@pytest.mark.parametrize(
    ("fmt", "style"), [("%(nothing", "%"), ("{", "{"), ("no field", "$"), ("%(a)s", "?")]
)
def test_what_is_wrong_is_refused(kind, fmt, style):
    """As in `logging.Formatter`, by position, by keyword, and unless it says otherwise."""
    for arguments, keywords in (((fmt, None, style), {}), ((), {"fmt": fmt, "style": style})):
        with pytest.raises(ValueError, match=r"\S"):
            kind(*arguments, **keywords)
        with pytest.raises(ValueError, match=r"\S"):
            kind(*arguments, **keywords, validate=True)
    with pytest.raises(ValueError, match=r"\S"):
        kind(fmt, None, style, True)


@pytest.mark.parametrize("kind", [MozlogFormatter, ConsoleFormatter, logging.Formatter])
def test_validation_can_be_switched_off(kind):
    """By position and by keyword."""
    kind("no field", None, "%", False)
    kind(fmt="no field", style="%", validate=False)


def configured(formatter):
    """Return the formatter that `dictConfig` makes."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"it": formatter},
            "handlers": {
                "it": {"class": "logging.StreamHandler", "stream": io.StringIO(), "formatter": "it"}
            },
            "loggers": {"tests.arguments": {"handlers": ["it"]}},
        }
    )
    logger = logging.getLogger("tests.arguments")
    (handler,) = logger.handlers
    logger.removeHandler(handler)
    return handler.formatter


@pytest.mark.parametrize("key", ["class", "()"])
@pytest.mark.parametrize("kind", [MOZLOG, CONSOLE])
def test_dict_config(key, kind):
    """By `class` and by `()`, with each argument that the standard library's has."""
    settings = {"format": "{module}", "style": "{", "datefmt": "%Y", "defaults": {"site": "a"}}
    for validate in (True, False):
        formatter = configured({key: kind, **settings, "validate": validate})
        line = formatter.format(make_record("x"))
        assert "module" in line
        # Before Python 3.12 `dictConfig` hands `defaults` on to a factory only.
        assert "site" in line or (key == "class" and sys.version_info < (3, 12))
        assert formatter.datefmt == "%Y"
    assert key == "()" or getattr(formatter, "logger_name", DEFAULT_LOGGER_NAME) == "Dockerflow"


@pytest.mark.parametrize("key", ["class", "()"])
def test_dict_config_validates(key):
    """A format that is none is an error of the configuration."""
    with pytest.raises(ValueError, match="Unable to configure formatter"):
        configured({key: MOZLOG, "format": "{no", "style": "{"})


@pytest.mark.parametrize("kind", [MOZLOG, CONSOLE])
def test_ini_file(tmp_path, kind):
    """`format`, `datefmt`, `style` and `class` of an ini file."""
    ini = tmp_path / "logging.ini"
    ini.write_text(
        "[loggers]\nkeys=root,it\n[handlers]\nkeys=it\n[formatters]\nkeys=it\n"
        "[logger_root]\nhandlers=\n[logger_it]\nqualname=tests.ini\nhandlers=it\n"
        "[handler_it]\nclass=StreamHandler\nargs=()\nformatter=it\n"
        f"[formatter_it]\nclass={kind}\nformat={{module}}\nstyle={{\ndatefmt=%Y\n"
    )
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logging.config.fileConfig(ini, disable_existing_loggers=False)
    root.handlers[:] = handlers
    root.setLevel(level)
    logger = logging.getLogger("tests.ini")
    (handler,) = logger.handlers
    logger.removeHandler(handler)
    assert handler.formatter.datefmt == "%Y"
    assert "module" in handler.formatter.format(make_record("x"))


def test_defaults_give_way_to_extras():
    """They are for records that do not have them."""
    formatter = MozlogFormatter(defaults={"site": "a"})
    assert parse(formatter.format(make_record("x")))["Fields"]["site"] == "a"
    assert parse(formatter.format(make_record("x", site="b")))["Fields"]["site"] == "b"
    assert "site=b" in ConsoleFormatter(defaults={"site": "a"}).format(make_record("x", site="b"))
