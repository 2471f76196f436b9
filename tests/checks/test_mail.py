"""Whether the mail server lets us in."""

import time
import warnings

import django
import pytest
from django.test import override_settings

from dockerflow_django import health
from dockerflow_django.checks.mail import check_mail
from dockerflow_django.checks.messages import cause_of
from tests.checks import fakes
from tests.harness.waiting import PROMPT_SECONDS

BACKENDS = "django.core.mail.backends"
SMTP = f"{BACKENDS}.smtp.EmailBackend"
needs_mailers = pytest.mark.skipif(django.VERSION < (6, 1), reason="MAILERS came with Django 6.1")


def ids(messages):
    return [message.id for message in messages]


@pytest.fixture
def server():
    with fakes.smtp_server() as server:
        yield server


@pytest.fixture
def use():
    """Change settings. From Django 6.1 on that warns of the old ones; reading them must not."""
    overrides = []

    def change(**values):
        with warnings.catch_warnings(action="ignore", category=PendingDeprecationWarning):
            overrides.append(override_settings(**values))
            overrides[-1].enable()

    yield change
    with warnings.catch_warnings(action="ignore", category=PendingDeprecationWarning):
        while overrides:
            overrides.pop().disable()


@pytest.fixture(params=["settings", pytest.param("mailers", marks=needs_mailers)])
def use_smtp(request, use):
    """Configure SMTP on a port, by the old settings and by MAILERS."""

    def change(port, login=False):
        account = {"username": "user", "password": "s3cret"} if login else {}
        if request.param == "settings":
            old = {"EMAIL_HOST_USER": "user", "EMAIL_HOST_PASSWORD": "s3cret"} if login else {}
            use(EMAIL_BACKEND=SMTP, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port, **old)
        else:
            options = {"host": "127.0.0.1", "port": port, **account}
            use(MAILERS={"default": {"OPTIONS": options}})

    return change


def test_server_is_well_and_gets_no_mail(use_smtp, server):
    """The connection is opened and closed, and nothing is sent."""
    use_smtp(server.port)
    assert check_mail([]) == []
    assert server.wait_until_all_ended()
    assert set(server.commands) <= {"EHLO", "QUIT"}


def test_logs_in(use_smtp, server):
    """Where a user is configured, the login is part of the question."""
    use_smtp(server.port, login=True)
    assert check_mail([]) == []
    assert "AUTH" in server.commands


def test_refused_login_is_an_error_and_closes(use_smtp, server):
    """A server that refuses the login fails, and the connection is closed all the same."""
    server.accepts_login = False
    use_smtp(server.port, login=True)
    (message,) = check_mail([])
    assert message.id == health.ERROR_MAIL_FAILED
    assert message.msg == 'The mail connection "default" cannot be opened.'
    assert cause_of(message).startswith("SMTPAuthenticationError")
    assert server.wait_until_all_ended()


def test_down_is_an_error(use_smtp, refusing_port):
    """A server that is down fails."""
    use_smtp(refusing_port)
    assert ids(check_mail([])) == [health.ERROR_MAIL_FAILED]


def test_silent_server_is_bounded(use_smtp, black_hole):
    """A port that takes connections and never answers fails within the timeout."""
    begun = time.monotonic()
    use_smtp(black_hole.port)
    messages = check_mail([], timeout_seconds=0.2)
    assert time.monotonic() - begun < PROMPT_SECONDS
    assert ids(messages) == [health.ERROR_MAIL_FAILED]


def test_server_that_falls_silent_is_bounded(use_smtp, server):
    """One that greets and then stops answering fails within the timeout, and is hung up on."""
    server.silent_on = b"AUTH"
    use_smtp(server.port, login=True)
    begun = time.monotonic()
    assert ids(check_mail([], timeout_seconds=0.2)) == [health.ERROR_MAIL_FAILED]
    assert time.monotonic() - begun < PROMPT_SECONDS
    assert server.wait_until_all_ended()


def test_shorter_timeout_of_the_project_counts(use, black_hole):
    """EMAIL_TIMEOUT, where it is shorter than the check's, is kept."""
    begun = time.monotonic()
    where = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": black_hole.port}
    use(**where, EMAIL_BACKEND=SMTP, EMAIL_TIMEOUT=0.1)
    messages = check_mail([], timeout_seconds=30)
    assert time.monotonic() - begun < PROMPT_SECONDS
    assert ids(messages) == [health.ERROR_MAIL_FAILED]


def test_settings_are_read_late(use_smtp, server, refusing_port):
    """What is overridden after import counts, unlike in django-health-check."""
    use_smtp(refusing_port)
    use_smtp(server.port)
    assert check_mail([]) == []


def test_without_any_mail_settings_it_is_news():
    """A project that configures no mail is not asked for a server on localhost."""
    (message,) = check_mail([])
    assert (message.id, message.is_serious()) == (health.INFO_NOT_CONFIGURED, False)


@pytest.mark.parametrize("backend", ["console", "dummy", "locmem"])
def test_backends_without_a_server_are_well(use, backend):
    """A backend that has nothing to open passes."""
    use(EMAIL_BACKEND=f"{BACKENDS}.{backend}.EmailBackend")
    assert check_mail([]) == []


def test_file_backend_is_looked_at_and_leaves_no_file(use, tmp_path):
    """The folder's being writable is what counts; opening would leave a file a run."""
    use(EMAIL_BACKEND=f"{BACKENDS}.filebased.EmailBackend", EMAIL_FILE_PATH=str(tmp_path))
    assert check_mail([]) == []
    assert list(tmp_path.iterdir()) == []


def test_first_error_is_told(use):
    """An error on closing does not mask the one on opening."""
    use(EMAIL_BACKEND="tests.checks.fakes.UndecidedMail")
    (message,) = check_mail([])
    assert cause_of(message) == "OSError: cannot open"


def test_misspelt_backend_is_a_misconfiguration(use):
    """A backend that cannot be imported is an error of the configuration."""
    use(EMAIL_BACKEND="no.such.Backend")
    assert ids(check_mail([])) == [health.ERROR_MISCONFIGURED_CHECK]


def test_unknown_alias_is_a_misconfiguration(use):
    """Without MAILERS there is one connection only."""
    use(EMAIL_HOST="127.0.0.1")
    assert ids(check_mail([], alias="bulk")) == [health.ERROR_MISCONFIGURED_CHECK]


@needs_mailers
def test_mailers_has_aliases(use, server):
    """Each of MAILERS can be asked, and one that it does not have is an error."""
    bulk = {"OPTIONS": {"host": "127.0.0.1", "port": server.port}}
    use(MAILERS={"bulk": bulk})
    assert check_mail([], alias="bulk") == []
    assert ids(check_mail([])) == [health.ERROR_MISCONFIGURED_CHECK]
