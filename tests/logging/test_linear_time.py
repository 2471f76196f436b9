"""Whatever text is logged, twice as much of it takes about twice the time, under every logger.

CPU time of this thread is measured, and the best of some runs: other processes do not count, nor
does the collection of what other tests have left. Four times the text may take ten times as long
here; where time grew with the square, it took sixteen.
"""

import gc
import itertools
import random
import time

import pytest

from dockerflow_django.logging import ConsoleFormatter, MozlogFormatter
from dockerflow_django.logging.description import describe
from dockerflow_django.logging.scrubbing import scrub
from dockerflow_django.summary.redaction import path_of, query_of
from tests.logging.lines import make_record, raised

# The formatter cuts a text past MAX_TEXT, and reads it once more: both are below that, with what a
# record adds to it.
SHORT, LONG = 8_000, 32_000
RUNS = 3
ALLOWED, NOISE_SECONDS = 10, 0.02

# What the expressions begin with, go on with, and end with; so that each begins and none ends.
PIECES = (
    *("/", "//", "://", "a://", "a://b:", "a://b@", "[", "(", "{", "]", ")", "'", '"', "\\", "\\'"),
    *('\\\\"', "%", "%22", "%2F", "%3A%2F%2F", "%40", "%2525", "&quot;", "=", ":", "@", "?", "/?"),
    *("password=", "password='", 'password="', "password: ", "token=[", "token: [\n", "otp=(\n"),
    *("otp=C(", "'token', '", "--token ", "token%3D%22", "&token=", 'token\\\\\\\\":', "--", "-."),
    *("authorization: ", 'authorization: ="', "cookie: ", "cookie: a=", "bearer ", "bearer a"),
    *("basic a", "eyJ", "eyJ-", "eyJaaaa.", "-----BEGIN PRIVATE KEY-----", "-----BEGIN "),
    *("<token>", "<token ", "<a:token x>", "key ", "secret", "session_id", "aes key", "a_", "aB"),
    *(
        "name: token value: ",
        'name="token" value="',
        "key=",
        '; name="token"\\r\\n\\r\\n',
        "(token)=(",
    ),
    *("(token", "(token)", "Duplicate entry '", "%3A//", ":%2F%2F", "%5B", "[0", "['This a.', "),
    *("\n", " ", "\t", "a", "é", "İ", "\x00", "Traceback (most recent call last):\n", "  | "),
    *("IDENTIFIED BY '", "identified with a by ", "PASSWORD '", "password(", "-u a:", "--user "),
    *("['-u', '", "-a ", "-p", "sshpass -p ", "//a:", "//a:b", "token:\n", "token:\n  a"),
    *("token: \n'", "token:\\n", "token:\\n a", "\r\n ", "cookie: a\r\n ", "\\r\\n ", "(a, "),
    *("(token) VALUES ", "(token) VALUES (1", "), (", "ghp_", "ghp_a1", "github_pat_", "glpat-"),
    *("AKIA", "AIza", "xoxb-", "xoxe.xoxp-", "sk-", "sk_live_", "\\n"),
    *("argon2$", "pbkdf2_sha256$", "$2b$12$", "%20"),
    *("Duplicate entry \\\\'\\\\", "cookie: password=(", "cookie: password: '"),
    *("cookie: (token='a')'", "cookie: it's ", "cookie: a='b'c", "'cookie: a=\"b", "cookie: a\\\\"),
    *("password=(a)", "password=a(", "password='a'a", "password='a''", "token!='"),
    *("password=%22a%22", "password%3D%22a%22", "<token><![CDATA[", "a          ", "token      ="),
    *("\"token\", 'a'a", "token=\\n'a'a"),
    *('"GET /', '"GET /a HTTP/1.1" ', ": /a", "/0123456789abcdef", "a-0123456789abcdef", "/\n"),
)
# With each of these in the text no part is skipped as harmless.
BEFORE = (
    "secret=x bearer // %2f %40 @ </ eyJ -----BEGIN: value name= )=( Duplicate entry "
    "identified curl mysql mariadb sshpass redis-cli ) VALUES AKIA "
)


def seconds(function, text):
    """Return the CPU time that the function takes for the text."""
    gc.disable()
    try:
        began = time.thread_time()
        function(text)
        return time.thread_time() - began
    finally:
        gc.enable()


def grows_linearly(function, piece, before=BEFORE):
    """Tell whether four times the text takes about four times as long."""
    short, long = (before + piece * ((size - len(before)) // len(piece)) for size in (SHORT, LONG))
    allowed = ALLOWED * min(seconds(function, short) for _ in range(RUNS)) + NOISE_SECONDS
    return any(seconds(function, long) <= allowed for _ in range(RUNS))


@pytest.mark.long
@pytest.mark.parametrize("piece", PIECES, ids=repr)
def test_scrubbing(piece):
    """The expressions cannot backtrack, and what is read is not read again."""
    assert grows_linearly(scrub, piece)


@pytest.mark.long
def test_scrubbing_mixtures():
    """Pieces beside each other, as nobody thought of them."""
    chosen = random.Random(20261127)
    for _ in range(20):
        piece = "".join(chosen.choices(PIECES, k=chosen.randint(2, 5)))
        assert grows_linearly(scrub, piece), repr(piece)


def test_scrubbing_all_pairs(soak):
    """Every piece beside every other, and runs of one after another: at full length only."""
    if not soak:
        pytest.skip("needs --soak")
    for one, other in itertools.product(PIECES, repeat=2):
        assert grows_linearly(scrub, one + other), repr(one + other)
        assert grows_linearly(scrub, other, BEFORE + one), repr(one)


def _message(name):
    return lambda text: make_record(text, name=name)


def _argument(name):
    return lambda text: make_record("Not Found: %s", (text,), name=name)


def _path(name):
    return lambda text: make_record("%s %s", ("GET", f"/{text}"), name=name)


def _exception(name):
    return lambda text: make_record("oh", exc_info=raised(ValueError(text)), name=name)


def _folded(name):
    return lambda text: make_record(f"oh\nTraceback (most recent call last):\n{text}", name=name)


def _uvicorn(text):
    args = ("192.0.2.1:5", "GET", f"/{text}?{text}", "1.1", 200)
    return make_record('%s - "%s %s HTTP/%s" %d', args, name="uvicorn.access")


def _granian(text):
    atoms = {"method": "GET", "path": f"/{text}", "protocol": "HTTP/1.1", "status": 200, "dt_ms": 1}
    return make_record("%(path)s", (atoms,), name="granian.access")


def _gunicorn(text):
    atoms = {"m": "GET", "U": f"/{text}", "H": "HTTP/1.1", "s": "200", "B": 1, "D": 1, "a": text}
    return make_record("%(a)s", (atoms,), name="gunicorn.access")


def _runserver(text):
    return make_record('"%s" %s %s', (f"GET /{text} HTTP/1.1", "200", "5"), name="django.server")


NAMES = (
    "shop",
    "django.request",
    "django.security.DisallowedHost",
    "django.security.csrf",
    "django.server",
    "gunicorn.access",
    "gunicorn.error",
    "uvicorn.access",
    "uvicorn.error",
    "granian.access",
    "_granian",
)
RECORDS = {
    **{f"{n} {w.__name__}": w(n) for n in NAMES for w in (_message, _argument, _path, _folded)},
    **{f"{n} _exception": _exception(n) for n in ("shop", "django.request", "gunicorn.error")},
    **{w.__name__: w for w in (_uvicorn, _granian, _gunicorn, _runserver)},
}
HOSTILE = (
    *("/", "password='", '"GET /', "a://b:", "://", "[", "'\\", "token: [\n", "/ ", "/?'", "%2F"),
)


@pytest.mark.long
@pytest.mark.parametrize("name", RECORDS)
def test_every_logger(name, settings, soak):
    """Whatever way a record has of its own."""
    settings.ROOT_URLCONF = "tests.logging.urls"
    form, record = MozlogFormatter().format, RECORDS[name]
    for piece in HOSTILE if soak else HOSTILE[:3]:
        assert grows_linearly(lambda text: form(record(text)), piece), repr(piece)


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_console(piece):
    """For people, too."""
    form = ConsoleFormatter(color=False).format
    assert grows_linearly(lambda text: form(make_record(text, it=text)), piece)


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_summary(piece, rf, settings):
    """A path, a query string, a header, an exception."""
    settings.ROOT_URLCONF = "tests.logging.urls"

    def read(text):
        request = rf.get("/")
        request.path = f"/{text}"
        request.META["QUERY_STRING"] = f"{text}&{text}"
        path_of(request), query_of(request), describe(ValueError(text))

    assert grows_linearly(read, piece)
