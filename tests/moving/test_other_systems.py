"""The how-tos for those who come from hurricane, hendrix, ddpt and django-docker-template."""

import pytest

from tests.documents import ROOT, tables_in

# What each has, by the name that somebody who moves looks for.
NAMES = {
    "from-ddpt": """
        ADMIN_URL AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_STORAGE_BUCKET_NAME CONN_MAX_AGE
        CSRF_COOKIE_HTTPONLY DJANGO_SECRET_KEY DJANGO_SENTRY_CLIENT DJANGO_SENTRY_DSN
        DJANGO_SENTRY_LOG_LEVEL EMAIL_SUBJECT_PREFIX HOMEAPP IGNORE_EXCEPTIONS LANGUAGE_CODE
        MAILGUN_API_KEY MAILGUN_SENDER_DOMAIN MEDIA_URL PASSWORD_HASHERS POSTGRES_DB REDIS_URL
        SITE_ID STATIC_URL TIME_ZONE django.contrib.sites runserver_plus
        """,
    "from-django-docker-template": """
        ALLOWED_HOSTS CONSOLE_LOGS DATABASE_PORT DEBUG_MODE DJANGO_SECRET_KEY LOG_REQUESTS
        SYSLOG_HOST SYSTEM_TEST_HOSTPORT uwsgi_exporter
        """,
    "from-hendrix": """
        AsyncTestMixin HENDRIX_CHILD_RESOURCES HENDRIX_SERVICES HendrixDeploy crosstown_traffic
        hey_joe long_task message_signal no_go_status_codes short_task
        """,
    "from-hurricane": """
        AverageMetric CalculatedMetric CounterMetric HURRICANE_AUTORELOAD HURRICANE_CHECK_MIGRATIONS
        HURRICANE_COMMAND HURRICANE_MAX_LIFETIME HURRICANE_MAX_MEMORY HURRICANE_PORT
        HURRICANE_PROBE_PORT HURRICANE_REQ_QUEUE_LEN HURRICANE_STATIC HURRICANE_VERSION
        HURRICANE_WEBHOOK_URL HURRICANE_WORKERS HurricanServerTest HurricaneAMQPTest LOG_PROBES
        ObservedMetric StoredMetric hurricane.amqp hurricane.server hurricane_info
        request_counter_total response_time_average structlog webhook_registry
        """,
}


@pytest.mark.parametrize("howto", NAMES)
def test_what_they_have_is_in_a_table(howto):
    """Each name has a row that says what it is here, or that it is gone."""
    rows = [row for rows in tables_in(ROOT / "docs" / "howto" / f"{howto}.rst") for row in rows]
    text = "\n".join(" ".join(row) for row in rows)
    assert [name for name in NAMES[howto].split() if name not in text] == []
