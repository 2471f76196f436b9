"""Under every server each record is written once, as fields, and without secrets."""

import pytest

from dockerflow_django.logging.access import CODE, METHOD, PATH
from dockerflow_django.logging.content import ERROR, MESSAGE, TRACEBACK
from dockerflow_django.logging.envelope import FIELDS, LOGGER, TYPE
from dockerflow_django.logging.scrubbing import REDACTED
from tests.logging.lines import parse
from tests.logging.processes import Server, get

SETTINGS = """
from dockerflow_django.logging import logging_config
ALLOWED_HOSTS = ["127.0.0.1"]
DEBUG = {debug}
LOGGING = logging_config("shop")
ROOT_URLCONF = "tests.logging.urls"
SECRET_KEY = "only for tests"
"""
ENTRY = """
from django.core.{kind} import get_{kind}_application
application = app = get_{kind}_application()
"""

COMMANDS = {
    "django.server": "django runserver --noreload 127.0.0.1:{port}",
    "gunicorn.access": "gunicorn --access-logfile - --bind 127.0.0.1:{port} site_wsgi",
    "uvicorn.access": "uvicorn --port {port} site_asgi:application",
    "granian.access asgi": "granian --interface asginl --access-log --port {port} site_asgi",
    "granian.access wsgi": "granian --interface wsgi --access-log --port {port} site_wsgi",
}
QUIET = {
    "gunicorn": "gunicorn --bind 127.0.0.1:{port} site_wsgi",
    "uvicorn": "uvicorn --no-access-log --port {port} site_asgi:application",
    "granian": "granian --interface asginl --port {port} site_asgi",
}
# What servers print before Django configures logging, or in a process without Django.
NO_RECORDS = ("[INFO]", "[WARNING]")
REQUESTS = {
    "/": ("/", 200),
    "/?token=planted": ("/", 200),
    "/accounts/reset/MQ/planted/": (f"/accounts/reset/{REDACTED}/{REDACTED}/", 200),
    "/nothing/h%C3%B6he": ("/nothing/höhe", 404),
    "/fail/": ("/fail/", 500),
}


def run_requests(command, directory, *, until, times=1, debug=False):
    (directory / "site_settings.py").write_text(SETTINGS.format(debug=debug))
    for kind in ("wsgi", "asgi"):
        (directory / f"site_{kind}.py").write_text(ENTRY.format(kind=kind))
    with Server(command.split(), directory, DJANGO_SETTINGS_MODULE="site_settings") as server:
        for path, (_, code) in REQUESTS.items():
            assert get(server.port, path) == code
        out, err = server.stop(until, times)
    assert "planted" not in out + err
    return out, err


@pytest.mark.parametrize("name", COMMANDS)
def test_each_record_once(name, tmp_path):
    """Access records are fields, exceptions are told once, and nothing is printed beside it."""
    kind = name.split()[0]
    # A thread may log its request when the next one is answered.
    until = f'"{TYPE}":"{kind}"'
    out, err = run_requests(COMMANDS[name], tmp_path, until=until, times=len(REQUESTS))
    # runserver's greeting, too, ends before the first record.
    text = out[out.index('{"') :] if name == "django.server" else out
    lines = [parse(line) for line in text.splitlines() if not line.startswith(NO_RECORDS)]
    assert {line[LOGGER] for line in lines} == {"shop"}

    access = [line[FIELDS] for line in lines if line[TYPE] == kind]
    assert sorted((fields[PATH], fields[CODE]) for fields in access) == sorted(REQUESTS.values())
    assert all(fields[METHOD] == "GET" and MESSAGE not in fields for fields in access)

    requests = [line[FIELDS] for line in lines if line[TYPE] == "django.request"]
    assert [fields[MESSAGE] for fields in requests] == [
        r"Not Found: /nothing/h\xf6he",
        "Internal Server Error: /fail/",
    ]
    assert requests[1][ERROR] == f"OSError('no route to postgres://{REDACTED}@db/shop')"
    assert out.count("no route to") == requests[1][TRACEBACK].count("no route to") + 1
    for records in ("GET /", "Not Found", "Traceback", "Internal"):
        assert records not in err


def test_console_where_debug_is_on(tmp_path):
    """With DEBUG on, runserver prints the same records for people."""
    command, until = COMMANDS["django.server"], "django.server GET /"
    out, err = run_requests(command, tmp_path, until=until, times=len(REQUESTS), debug=True)
    assert " INFO     django.server GET / 200\n" in out
    assert " ERROR    django.server GET /fail/ 500\n" in out
    assert out.count("Traceback (most recent call last):") == 1
    assert err == ""


def test_one_line_a_request_under_runserver(tmp_path):
    """A request that has a summary is not logged by the server as well; a static file is."""
    (tmp_path / "site_settings.py").write_text(
        SETTINGS.format(debug=True)
        + 'MIDDLEWARE = ["dockerflow_django.middleware.DockerflowMiddleware"]\n'
        + 'INSTALLED_APPS = ["django.contrib.staticfiles", "dockerflow_django"]\n'
        + f'STATIC_URL = "static/"\nSTATICFILES_DIRS = [{str(tmp_path / "files")!r}]\n'
        + 'LOGGING = logging_config("shop", format="mozlog")\n'
    )
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.css").write_text("a")
    asked = {"/": 200, "/nothing/": 404, "/fail/": 500, "/static/a.css": 200, "/last/": 404}
    command = ["django", "runserver", "--noreload", "127.0.0.1:{port}"]
    with Server(command, tmp_path, DJANGO_SETTINGS_MODULE="site_settings") as server:
        for path, code in asked.items():
            assert get(server.port, path) == code
        out, _ = server.stop('"path":"/', times=len(asked))
    lines = [parse(line) for line in out[out.index('{"') :].splitlines()]
    told = [(line[TYPE], line[FIELDS][PATH]) for line in lines if PATH in line[FIELDS]]
    # Each request has a thread of its own: the server logs one when the next is under way.
    assert sorted(told) == [
        ("django.server", "/static/a.css"),
        ("request.summary", "/"),
        ("request.summary", "/fail/"),
        ("request.summary", "/last/"),
        ("request.summary", "/nothing/"),
    ]


@pytest.mark.parametrize("name", QUIET)
def test_no_access_records_unless_the_server_writes_them(name, tmp_path):
    """Where a server's access log is off it stays off."""
    out, err = run_requests(QUIET[name], tmp_path, until=f'{ERROR}":')
    assert "Internal Server Error: /fail/" in out
    assert ".access" not in out + err
