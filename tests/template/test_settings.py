"""The parts of a made project are optional: each by its variables, none without them."""

import json
import re

import pytest

from tests.template.production import PRODUCTION

# Importing the settings must not import what a part needs: it may not be installed.
SHOW = """
import json, sys
from django.conf import settings
import django
django.setup()
names = sys.argv[1:]
modules = {"anymail", "boto3", "celery", "debug_toolbar", "psycopg", "redis", "sentry_sdk"}
print(json.dumps({
    "settings": {name: getattr(settings, name, None) for name in names},
    "modules": sorted({module.partition(".")[0] for module in sys.modules} & modules),
}, default=str))
"""


@pytest.fixture(scope="module")
def show(made):
    """Return a function that shows settings and which optional modules are imported."""

    def show(*names, **environ):
        environ = {**PRODUCTION, "DJANGO_SETTINGS_MODULE": "config.settings", **environ}
        shown = json.loads(made.run("-c", SHOW, *names, **environ).stdout.splitlines()[-1])
        return shown["settings"], shown["modules"]

    return show


def test_nothing_is_on(show):
    """Without variables no optional package is imported, in production."""
    settings, modules = show("DATABASES", "SESSION_ENGINE", "DOCKERFLOW_CHECKS", "STORAGES")
    assert modules == []
    assert settings["DATABASES"]["default"]["ENGINE"].endswith("sqlite3")
    assert settings["SESSION_ENGINE"] == "django.contrib.sessions.backends.db"
    assert len(settings["DOCKERFLOW_CHECKS"]) == 2


@pytest.mark.long
def test_postgresql(show, tmp_path):
    """POSTGRES_HOST brings PostgreSQL; the port is the one of the same prefix."""
    (tmp_path / "password").write_text("secret\n")
    (settings, modules) = show(
        "DATABASES",
        POSTGRES_HOST="db.example",
        POSTGRES_PORT="6543",
        POSTGRES_PASSWORD_FILE=str(tmp_path / "password"),
    )
    database = settings["DATABASES"]["default"]
    assert database["ENGINE"] == "django_prometheus.db.backends.postgresql"
    assert (database["HOST"], database["PORT"]) == ("db.example", "6543")
    assert database["PASSWORD"] == "secret"
    assert "psycopg" in modules


def test_redis(show):
    """REDIS_URL brings cache and sessions; these are in the database as well."""
    settings, _ = show("CACHES", "SESSION_ENGINE", "DOCKERFLOW_CHECKS", REDIS_URL="redis://r:1/0")
    assert settings["CACHES"]["default"]["LOCATION"] == "redis://r:1/0"
    assert settings["SESSION_ENGINE"] == "django.contrib.sessions.backends.cached_db"
    assert settings["DOCKERFLOW_CHECKS"][-1] == "dockerflow_django.checks.check_caches"


def test_s3(show):
    """S3_BUCKET brings the bucket, and the heartbeat asks it."""
    settings, _ = show("STORAGES", "DOCKERFLOW_CHECKS", S3_BUCKET="media", S3_REGION="eu-north-1")
    storage = settings["STORAGES"]["default"]
    assert storage["BACKEND"] == "storages.backends.s3.S3Storage"
    assert storage["OPTIONS"]["bucket_name"] == "media"
    assert settings["DOCKERFLOW_CHECKS"][-1] == "dockerflow_django.checks.check_storage"


URL_IN_A_BUCKET = """
import django; django.setup()
from django.core.files.storage import default_storage
print(default_storage.file_overwrite, default_storage.url("cat.png"))
"""


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, r"https://media\.s3\..*/cat\.png\?.*[Ee]xpires=.*"),
        ({"S3_QUERYSTRING_AUTH": "false"}, r"https://media\.s3\..*/cat\.png"),
        ({"S3_CUSTOM_DOMAIN": "cdn.example"}, r"https://cdn\.example/cat\.png"),
    ],
)
def test_files_in_a_bucket(made, environ, url):
    """No upload replaces another; a URL is signed unless the bucket is public or has a CDN."""
    keys = {"S3_BUCKET": "media", "S3_ACCESS_KEY_ID": "id", "S3_SECRET_ACCESS_KEY": "key"}
    more = {"DJANGO_SETTINGS_MODULE": "config.settings", "S3_REGION": "eu-north-1", **environ}
    shown = made.run("-c", URL_IN_A_BUCKET, **PRODUCTION, **keys, **more).stdout
    assert re.fullmatch(f"False {url}\n", shown)


@pytest.mark.long
@pytest.mark.parametrize(
    "provider", ["brevo", "mailgun", "mandrill", "resend", "sendgrid", "sparkpost"]
)
def test_mail_by_a_provider(made, provider):
    """ANYMAIL_PROVIDER brings its backend, which needs no more than its key."""
    code = (
        "import django; django.setup(); from django.core.mail import get_connection;"
        "connection = get_connection(); print(type(connection).__module__, connection.api_key)"
    )
    environ = {"ANYMAIL_PROVIDER": provider, "ANYMAIL_API_KEY": "key"}
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings"}
    shown = made.run("-c", code, **PRODUCTION, **environ, **settings).stdout
    assert shown == f"anymail.backends.{provider} key\n"
    assert f"`{provider}`" in made.text("README.md")


def test_mail_by_a_provider_without_a_key(made):
    """Without the key one line says so at the start, not the first mail."""
    environ = {**PRODUCTION, "ANYMAIL_PROVIDER": "mailgun"}
    (line,) = made.manage("check", code=1, **environ).stderr.splitlines()
    assert "ANYMAIL_API_KEY is not set" in line


@pytest.mark.parametrize("given", ["secret", "secret/", "/secret/"])
def test_path_of_the_admin(show, given):
    """The slash between the admin's path and its pages is there, whoever forgets it."""
    settings, _ = show("ADMIN_URL", ADMIN_URL=given)
    assert settings["ADMIN_URL"] == "secret/"


OLD_HASH = """
import django; django.setup()
from django.contrib.auth.hashers import PBKDF2SHA1PasswordHasher, check_password
from django.template import engines
from django.test import RequestFactory
hash = PBKDF2SHA1PasswordHasher().encode("secret", "salt")
print(check_password("secret", hash))
names = "{{ MEDIA_URL }} {{ STATIC_URL }} {{ LANGUAGE_CODE }} {{ TIME_ZONE }} {{ debug }}"
template = engines["django"].from_string(names)
print(template.render({}, RequestFactory().get("/")))
"""


@pytest.mark.long
def test_what_ddpt_had(made):
    """Passwords hashed by an older hasher are verified; templates find the variables they had."""
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "true"}
    *_, verified, rendered = made.run("-c", OLD_HASH, **settings).stdout.splitlines()
    assert verified == "True"
    assert rendered == "/media/ /static/ en-us UTC True"


TOOLBAR = """
import socket, sys
import django; django.setup()
from django.test import Client
# As in a container whose network has this gateway.
socket.gethostbyname_ex = lambda name: (name, [], ["172.18.0.5"])
answer = Client(REMOTE_ADDR=sys.argv[1]).get("/admin/login/", headers={"host": "localhost"})
print(b"djDebug" in answer.content)
"""


@pytest.mark.long
@pytest.mark.parametrize("address", ["127.0.0.1", "172.18.0.1", "172.18.0.7"])
def test_debug_toolbar(made, address):
    """It shows on this machine, and to it in a container: requests come from the gateway then."""
    settings = {"DJANGO_SETTINGS_MODULE": "config.settings", "DEBUG": "true"}
    shown = made.run("-c", TOOLBAR, address, **settings).stdout.splitlines()[-1]
    assert shown == str(address != "172.18.0.7")


UPLOAD = """
import django; django.setup()
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
url = default_storage.url(default_storage.save("cat.txt", ContentFile(b"miaow")))
answer = Client(headers={"host": "www.example.com", "x-forwarded-proto": "https"}).get(url)
print(url, answer.status_code)
"""


@pytest.mark.long
@pytest.mark.parametrize(("debug", "status"), [("true", 200), ("false", 404)])
def test_uploaded_files(made, tmp_path, debug, status):
    """In development Django serves what was uploaded to the folder."""
    more = {"DEBUG": debug, "MEDIA_ROOT": str(tmp_path)}
    settings = {**PRODUCTION, "DJANGO_SETTINGS_MODULE": "config.settings", **more}
    assert f"/media/cat.txt {status}" in made.run("-c", UPLOAD, **settings).stdout.splitlines()


def test_mail_by_smtp(show):
    """EMAIL_HOST brings SMTP, with TLS if nothing else is said."""
    settings, _ = show("EMAIL_BACKEND", "EMAIL_HOST", "EMAIL_USE_TLS", EMAIL_HOST="mail")
    assert settings["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    assert (settings["EMAIL_HOST"], settings["EMAIL_USE_TLS"]) == ("mail", True)


@pytest.mark.long
def test_sentry(show):
    """SENTRY_DSN brings Sentry."""
    _, modules = show("DEBUG", SENTRY_DSN="https://key@sentry.example/1")
    assert "sentry_sdk" in modules


@pytest.mark.long
def test_celery(show):
    """CELERY_BROKER_URL brings Celery, and the heartbeat asks the broker."""
    settings, modules = show("DOCKERFLOW_CHECKS", CELERY_BROKER_URL="redis://r:1/0")
    assert "celery" in modules
    assert settings["DOCKERFLOW_CHECKS"][-1] == "dockerflow_django.checks.check_celery_broker"


@pytest.mark.long
@pytest.mark.parametrize("debug", ["true", "false"])
def test_development(show, debug):
    """Conveniences and metrics on the public port are for development alone."""
    names = ("DEBUG", "INSTALLED_APPS", "SECURE_SSL_REDIRECT", "ALLOWED_HOSTS")
    settings, modules = show(*names, DEBUG=debug)
    is_on = debug == "true"
    assert settings["DEBUG"] is is_on
    assert ("debug_toolbar" in modules) is is_on
    assert ("django_extensions" in settings["INSTALLED_APPS"]) is is_on
    assert settings["SECURE_SSL_REDIRECT"] is not is_on


@pytest.mark.long
def test_every_part_at_once(made, tmp_path):
    """All parts together compile, start and pass Django's checks of a deployment."""
    everything = {
        "ANYMAIL_PROVIDER": "mailgun",
        "ANYMAIL_API_KEY": "key",
        "CELERY_BROKER_URL": "redis://r:1/0",
        "POSTGRES_HOST": "db.example",
        "REDIS_URL": "redis://r:1/0",
        "S3_BUCKET": "media",
        "SENTRY_DSN": "https://key@sentry.example/1",
    }
    output = made.manage("check", "--deploy", "--fail-level", "DEBUG", **PRODUCTION, **everything)
    assert "no issues" in output.stdout


def test_order_of_the_middleware(show):
    """WhiteNoise comes after the security middleware, and ours before both."""
    settings, _ = show("MIDDLEWARE")
    names = [path.rpartition(".")[2] for path in settings["MIDDLEWARE"]]
    assert names.index("DockerflowMiddleware") == 1
    assert names.index("SecurityMiddleware") < names.index("WhiteNoiseMiddleware")


def test_errors_reach_the_log(show):
    """In production errors are written to standard output, not only mailed."""
    settings, _ = show("LOGGING")
    assert settings["LOGGING"]["root"]["handlers"] == ["dockerflow"]
    assert settings["LOGGING"]["loggers"]["django"]["propagate"] is True
