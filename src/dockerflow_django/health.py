"""The names that answers and alerts hold: probes, outcomes, and the ids of messages.

The ids up to ``E010`` are python-dockerflow's, so that ``SILENCED_SYSTEM_CHECKS`` and alerts
keep their meaning; ``E008`` to ``E010`` belong to its Flask part and stay free.
"""

# The probes that Kubernetes knows, and the heartbeat over every configured check.
PROBES = ("liveness", "readiness", "startup")
HEARTBEAT = "heartbeat"

# The outcomes of one evaluation.
PASSED, FAILED = "passed", "failed"

INFO_CANT_CHECK_MIGRATIONS = "dockerflow.health.I001"
INFO_STARTING = "dockerflow.health.I002"
INFO_DRAINING = "dockerflow.health.I003"
INFO_NOT_READY = "dockerflow.health.I004"
INFO_NOT_CONFIGURED = "dockerflow.health.I005"
INFO_NO_ANSWER_YET = "dockerflow.health.I006"

WARNING_UNAPPLIED_MIGRATION = "dockerflow.health.W001"
WARNING_DISK_SPACE_LOW = "dockerflow.health.W002"

ERROR_CANNOT_CONNECT_DATABASE = "dockerflow.health.E001"
ERROR_UNUSABLE_DATABASE = "dockerflow.health.E002"
ERROR_MISCONFIGURED_DATABASE = "dockerflow.health.E003"
ERROR_CANNOT_CONNECT_REDIS = "dockerflow.health.E004"
ERROR_MISSING_REDIS_CLIENT = "dockerflow.health.E005"
ERROR_MISCONFIGURED_REDIS = "dockerflow.health.E006"
ERROR_REDIS_PING_FAILED = "dockerflow.health.E007"

ERROR_CHECK_TIMED_OUT = "dockerflow.health.E011"
ERROR_CACHE_FAILED = "dockerflow.health.E012"
ERROR_CELERY_BROKER = "dockerflow.health.E013"
ERROR_CELERY_NO_WORKER = "dockerflow.health.E014"
ERROR_CELERY_QUEUE_WITHOUT_WORKER = "dockerflow.health.E015"
ERROR_CANNOT_CONNECT_AMQP = "dockerflow.health.E016"
ERROR_STORAGE_FAILED = "dockerflow.health.E017"
ERROR_MAIL_FAILED = "dockerflow.health.E018"
ERROR_DISK_SPACE_EXHAUSTED = "dockerflow.health.E019"
ERROR_DISK_UNREADABLE = "dockerflow.health.E020"
ERROR_TOO_MANY_REQUESTS_IN_PROGRESS = "dockerflow.health.E021"
ERROR_STALLED = "dockerflow.health.E022"
ERROR_MISSING_CLIENT = "dockerflow.health.E023"
ERROR_MISCONFIGURED_CHECK = "dockerflow.health.E024"
ERROR_UNREADABLE_SETTING = "dockerflow.health.E025"
ERROR_URLCONF_NOT_IMPORTABLE = "dockerflow.health.E026"

CRITICAL_CHECK_RAISED = "dockerflow.health.C001"
CRITICAL_CHECK_ANSWERED_NONSENSE = "dockerflow.health.C002"
CRITICAL_CHECK_NOT_IMPORTABLE = "dockerflow.health.C003"
