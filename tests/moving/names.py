"""What python-dockerflow documents for Django: its guide, and what its API pages list.

The pages are https://python-dockerflow.readthedocs.io/en/latest/django.html, …/api/django.html,
…/api/logging.html and …/api/version.html; where they let Sphinx list a module's members, the list
is that of the release named here.
"""

VERSION = "2026.3.4"
DOCUMENTED = {
    "DOCKERFLOW_CHECKS",
    "DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE",
    "DOCKERFLOW_REQUEST_ID_HEADER_NAME",
    "DOCKERFLOW_SUMMARY_LOG_QUERYSTRING",
    "DOCKERFLOW_VERSION_CALLBACK",
    "dockerflow.django",
    "dockerflow.django.checks.check_database_connected",
    "dockerflow.django.checks.check_migrations_applied",
    "dockerflow.django.checks.check_redis_connected",
    "dockerflow.django.middleware.DockerflowMiddleware",
    "dockerflow.django.signals.heartbeat_failed",
    "dockerflow.django.signals.heartbeat_passed",
    "dockerflow.django.urls",
    "dockerflow.django.views.error",
    "dockerflow.django.views.heartbeat",
    "dockerflow.django.views.lbheartbeat",
    "dockerflow.django.views.version",
    "dockerflow.health",
    "dockerflow.logging.JsonLogFormatter",
    "dockerflow.logging.MozlogFormatter",
    "dockerflow.logging.MozlogFormatter.convert_record",
    "dockerflow.logging.MozlogFormatter.format",
    "dockerflow.logging.MozlogFormatter.is_value_jsonlike",
    "dockerflow.logging.MozlogHandler",
    "dockerflow.logging.RequestIdLogFilter",
    "dockerflow.logging.get_or_generate_request_id",
    "dockerflow.logging.request_id_context",
    "dockerflow.logging.safer_format_traceback",
    "dockerflow.version.get_version",
}
# Documented nowhere, and still what the ten projects use.
USED = {
    "DockerflowMiddleware._build_extra_meta",
    "DockerflowMiddleware.process_exception",
    "DockerflowMiddleware.process_request",
    "DockerflowMiddleware.process_response",
    "DockerflowMiddleware.viewpatterns",
    "dockerflow.django.apps.DockerFlowAppConfig",
    "dockerflow.django.checks.register",
    "dockerflow.django.middleware.extract_request_id",
    "dockerflow.logging.SafeJSONEncoder",
}
