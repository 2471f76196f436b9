"""logging_config is a whole LOGGING setting."""

import json
import logging
import logging.config

import pytest
from django.conf import settings
from django.test import override_settings
from django.utils.functional import empty
from django.utils.log import AdminEmailHandler, RequireDebugFalse

from dockerflow_django.context import request_id_context
from dockerflow_django.logging import ConsoleFormatter, MozlogFormatter, logging_config
from dockerflow_django.logging.config import (
    RUNSERVER,
    SERVER_LOGGERS,
    UVICORN_ACCESS,
    admin_mail_handler,
    choose_formatter,
)
from dockerflow_django.logging.content import MESSAGE
from dockerflow_django.logging.envelope import FIELDS, LOGGER, TYPE
from dockerflow_django.logging.filters import SilencedLogFilter, SummarisedLogFilter
from tests.logging.lines import parse
from tests.logging.processes import run_python

DJANGO = """
    import logging, django
    from django.conf import settings
    from dockerflow_django.logging import logging_config
    early = logging.getLogger("early")
    settings.configure(LOGGING=logging_config("shop", {arguments}), DEBUG={debug})
    django.setup()
    for logger in (early, logging.getLogger("django"), logging.getLogger("uvicorn.access")):
        logger.debug("debug")
        logger.info("info")
        logger.warning("warning")
"""


def run_django(arguments="", *, debug=False):
    return run_python(DJANGO.format(arguments=arguments, debug=debug)).splitlines()


def messages(lines):
    parsed = [parse(line) for line in lines]
    assert {line[LOGGER] for line in parsed} == {"shop"}
    return [(line[TYPE], line[FIELDS][MESSAGE]) for line in parsed]


def test_every_record_once_on_standard_output():
    """Records of loggers made before, of Django's and of servers' come once each, from INFO on."""
    assert messages(run_django()) == [
        (name, level)
        for name in ("early", "django", "uvicorn.access")
        for level in ("info", "warning")
    ]


@pytest.mark.parametrize("level", ["WARNING", "warning", 30])
def test_level_is_everybodys(level):
    """A level above INFO quiets Django and servers, too."""
    assert messages(run_django(repr(level))) == [
        (name, "warning") for name in ("early", "django", "uvicorn.access")
    ]


@pytest.mark.parametrize(
    ("level", "number"), [("info", 20), ("DEBUG", 10), ("error", 40), (25, 25), (0, 0)]
)
def test_level_may_be_name_or_number(level, number):
    """A level is a name in any case, or a number."""
    config = logging_config("shop", level)
    assert config["root"]["level"] == number
    assert config["loggers"]["django"].get("level") == (number if number > logging.INFO else None)


def test_debug_level_leaves_django_alone():
    """Level DEBUG is for the project's loggers: Django's would print every query."""
    said = messages(run_django("level='DEBUG'"))
    assert ("early", "debug") in said
    assert ("django", "debug") not in said


@pytest.mark.long
def test_debug_decides_when_django_configures_logging():
    """Where DEBUG is on lines are for people, unless the format is given."""
    assert run_django(debug=True)[0].endswith(" INFO     early info")
    assert messages(run_django("format='mozlog'", debug=True))[0] == ("early", "info")
    assert run_django("format='console'")[0].endswith(" INFO     early info")


def test_dict_is_the_callers():
    """Every call returns a dict of its own, which can be added to and written as JSON."""
    first, second = logging_config("shop"), logging_config("shop")
    first["loggers"]["shop"] = {"level": "DEBUG"}
    assert "shop" not in second["loggers"]
    assert json.loads(json.dumps(second)) == second
    assert {"django", *SERVER_LOGGERS} == second["loggers"].keys()


@pytest.fixture
def configured():
    """Return a function that configures logging, which is afterwards as it was."""
    loggers = [*map(logging.getLogger, ("", "early", "django", *SERVER_LOGGERS))]
    kept = [(vars(each).copy(), each.handlers[:], each.filters[:]) for each in loggers]
    yield lambda *args: logging.config.dictConfig(logging_config("shop", *args))
    for each, (attributes, handlers, filters) in zip(loggers, kept, strict=True):
        vars(each).update(attributes, handlers=handlers, filters=filters)
        each.setLevel(attributes["level"])  # forgets which levels are enabled


def test_as_a_setting(configured, capsys):
    """Records of loggers made before, of Django's and of servers' come once each, in one form."""
    for name in ("uvicorn", "gunicorn.error", "django"):
        # As the servers and Django have them; the handlers have nothing to write to.
        logging.getLogger(name).propagate = False
        logging.getLogger(name).handlers = [logging.StreamHandler(None)]
    early = logging.getLogger("early")
    token = request_id_context.set("abc")
    configured()
    for name in ("early", "uvicorn", "gunicorn.error", "django"):
        logging.getLogger(name).warning("hello")
    request_id_context.reset(token)
    lines = [parse(line) for line in capsys.readouterr().out.splitlines()]
    assert [line[TYPE] for line in lines] == [early.name, "uvicorn", "gunicorn.error", "django"]
    assert {line[LOGGER] for line in lines} == {"shop"}
    assert all(line[FIELDS] == {MESSAGE: "hello", "rid": "abc"} for line in lines)


def test_what_loggers_have(configured):
    """Django's has its mail to ADMINS, two of the servers' have filters, and others nothing."""
    configured("INFO", "console")
    assert type(logging.getLogger().handlers[0].formatter) is ConsoleFormatter
    (mail,) = logging.getLogger("django").handlers
    assert type(mail) is AdminEmailHandler
    has = {name: logging.getLogger(name) for name in SERVER_LOGGERS}
    assert {name: each.handlers for name, each in has.items() if each.handlers} == {}
    filters = {name: [*map(type, each.filters)] for name, each in has.items() if each.filters}
    assert filters == {UVICORN_ACCESS: [SilencedLogFilter], RUNSERVER: [SummarisedLogFilter]}


def test_each_logger_can_be_given_handlers():
    """What a project adds one to is there."""
    loggers = logging_config("shop")["loggers"]
    assert all(loggers[name]["handlers"] == [] for name in SERVER_LOGGERS)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((5,), TypeError, "logger_name must be a string, not 5"),
        (("",), ValueError, r"^logging_config\(\): logger_name is empty; name the service$"),
        (("shop", "LOUD"), ValueError, "level must be one of .*'INFO'.*, not 'LOUD'"),
        (("shop", None), ValueError, "level must be one of"),
        (("shop", ["INFO"]), ValueError, "level must be one of"),
        (("shop", True), ValueError, "level must be one of"),
        (("shop", "INFO", "json"), ValueError, "format must be one of .*, not 'json'"),
    ],
)
def test_wrong_arguments(arguments, error, text):
    """An error names the argument, what it may be and what it was."""
    with pytest.raises(error, match=text):
        logging_config(*arguments)


@pytest.mark.parametrize(
    ("debug", "choice", "kind"),
    [
        (False, None, MozlogFormatter),
        (True, None, ConsoleFormatter),
        (True, "mozlog", MozlogFormatter),
        (False, "console", ConsoleFormatter),
    ],
)
def test_choose_formatter(debug, choice, kind):
    """DEBUG decides only where nothing was chosen."""
    with override_settings(DEBUG=debug):
        formatter = choose_formatter("shop", choice)
    assert type(formatter) is kind
    assert getattr(formatter, "logger_name", "shop") == "shop"


def test_settings_are_never_loaded_for_it(monkeypatch):
    """Without settings, as in gunicorn's `logconfig_dict`, lines are mozlog; no mail is sent."""
    monkeypatch.setattr(settings, "_wrapped", empty)
    assert type(choose_formatter("shop")) is MozlogFormatter
    assert type(admin_mail_handler()) is logging.NullHandler
    assert not settings.configured


def test_admins_get_their_mail():
    """Django's mail to ADMINS goes out as without us: errors, where DEBUG is off."""
    handler = admin_mail_handler()
    assert type(handler) is AdminEmailHandler
    assert handler.level == logging.ERROR
    assert [type(filter_) for filter_ in handler.filters] == [RequireDebugFalse]


INI = """
[loggers]
keys = root
[handlers]
keys = plain, mozlog
[formatters]
keys = json, bare
[logger_root]
level = INFO
handlers = plain, mozlog
[handler_plain]
class = StreamHandler
args = (sys.stdout,)
formatter = json
[handler_mozlog]
class = dockerflow_django.logging.MozlogHandler
args = (sys.stdout, "shop")
formatter = bare
[formatter_json]
class = dockerflow_django.logging.JsonLogFormatter
[formatter_bare]
class = dockerflow_django.logging.MozlogFormatter
format = %(message)s %(lineno)d
datefmt = %H
style = %
"""


def test_ini_file(tmp_path):
    """Handler and formatter work from an ini file."""
    (tmp_path / "logging.ini").write_text(INI)
    program = """
        import logging, logging.config
        logging.config.fileConfig("logging.ini")
        logging.info("hello")
    """
    plain, named = map(parse, run_python(program, cwd=tmp_path).splitlines())
    assert (plain[LOGGER], plain[FIELDS]) == ("Dockerflow", {MESSAGE: "hello"})
    assert (named[LOGGER], named[FIELDS]) == ("shop", {MESSAGE: "hello", "lineno": 4})


def test_dict_config():
    """All classes work from a dict that names them, as a class or a factory."""
    program = """
        import logging, logging.config
        package = "dockerflow_django.logging."
        logging.config.dictConfig({
            "version": 1,
            "filters": {"rid": {"()": package + "RequestIdLogFilter"}},
            "formatters": {
                "mozlog": {"()": package + "MozlogFormatter", "logger_name": "shop",
                           "fmt": ["module"], "defaults": {"a": 1}},
                "json": {"class": package + "JsonLogFormatter", "format": "%(message)s"},
                "console": {"class": package + "ConsoleFormatter", "format": "%(message)s",
                            "datefmt": "%H", "style": "%", "validate": True},
            },
            "handlers": {
                "mozlog": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout",
                           "formatter": "mozlog", "filters": ["rid"]},
                "json": {"class": package + "MozlogHandler", "formatter": "json"},
                "console": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout",
                            "formatter": "console"},
            },
            "root": {"level": "INFO", "handlers": ["mozlog", "json", "console"]},
        })
        logging.info("hello")
    """
    mozlog, older, console = run_python(program).splitlines()
    assert parse(mozlog)[FIELDS] == {MESSAGE: "hello", "module": "<string>", "a": 1}
    assert parse(older)[FIELDS] == {MESSAGE: "hello"}
    assert console.endswith("INFO     root hello")


def test_django_is_not_imported():
    """A LOGGING setting may name all of it while settings load."""
    program = """
        import sys
        import dockerflow_django.logging as package
        [getattr(package, name) for name in package.__all__]
        package.logging_config("shop")
        print([name for name in sys.modules if name.partition(".")[0] == "django"])
    """
    assert run_python(program) == "[]\n"


def test_processes():
    """A forked and a spawned process write their own ids, whoever made the formatter."""
    program = """
        import logging, multiprocessing, os
        from concurrent.futures import ProcessPoolExecutor
        from dockerflow_django.logging import MozlogFormatter
        formatter = MozlogFormatter(logger_name="shop")
        def line(_):
            return os.getpid(), formatter.format(logging.makeLogRecord({"msg": "x"}))
        if __name__ == "__main__":
            line(0)
            with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
                results = [line(0), *pool.map(line, range(4))]
            for pid, text in results:
                print(pid, text)
    """
    pids = set()
    for result in run_python(program).splitlines():
        pid, _, line = result.partition(" ")
        assert parse(line)["Pid"] == int(pid)
        pids.add(pid)
    assert len(pids) > 1


def test_without_assertions():
    """Nothing depends on `assert`: lines are the same under `python -O`."""
    program = """
        import logging
        from dockerflow_django.logging import MozlogFormatter
        circle = []
        circle.append(circle)
        record = logging.makeLogRecord({"msg": "%d", "args": ("x",), "it": circle, "\\ud800": 1,
                                        "n": float("nan"), (1,): 2, "process": 1, "created": 1})
        print(MozlogFormatter().format(record))
    """
    optimised = run_python(program, "-O")
    assert optimised == run_python(program)
    assert parse(optimised.removesuffix("\n"))[FIELDS]["it"] == ["[circular]"]
