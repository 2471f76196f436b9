"""The shipped checks in an environment that has none of their clients."""

import json
import os
import subprocess
import sys
from pathlib import Path

from dockerflow_django import health

ROOT = Path(__file__).parents[2]
SCRIPT = """
import json, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"amqp", "celery", "django_redis", "kombu", "redis"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())

from dockerflow_django.checks import amqp, caches, celery, disk, mail, redis, storage

checks = [
    amqp.check_amqp_connected,
    caches.check_caches,
    celery.check_celery_broker,
    celery.check_celery_workers,
    redis.check_redis_connected,
]
print(json.dumps({check.__name__: [message.id for message in check([])] for check in checks}))
"""


def test_modules_import_and_checks_say_what_is_missing():
    """Importing every module works without its client; asking names the missing one."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    output = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        check=True,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        timeout=60,
    ).stdout
    assert json.loads(output) == {
        "check_amqp_connected": [health.ERROR_MISSING_CLIENT],
        "check_caches": [],
        "check_celery_broker": [health.ERROR_MISSING_CLIENT],
        "check_celery_workers": [health.ERROR_MISSING_CLIENT],
        "check_redis_connected": [health.ERROR_MISSING_REDIS_CLIENT],
    }
