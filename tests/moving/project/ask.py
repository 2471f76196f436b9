"""Run in a moved project: judge it, ask its endpoints, and print what came as JSON.

Standard error has the project's log lines.
"""

import json
import os
import sys
from io import StringIO
from pathlib import Path

sys.path.insert(0, str(Path.cwd()))
os.environ["DJANGO_SETTINGS_MODULE"] = "settings"

import django
from django.core import checks
from django.core.management import call_command
from django.test import Client

django.setup()
messages = [message for message in checks.run_checks() if not message.is_silenced()]
found = {
    "errors": sorted(message.id for message in messages if message.level >= checks.ERROR),
    "ids": sorted(message.id for message in messages),
    "answers": {},
}
if "dockerflow_django" in django.conf.settings.INSTALLED_APPS:
    out = StringIO()
    call_command("dockerflow", "--json", stdout=out)
    found["not_asked"] = json.loads(out.getvalue())["not_asked"]
for path in ("/__version__", "/__lbheartbeat__", "/__heartbeat__", "/plain/"):
    answer = Client().get(path, headers={"X-Request-ID": "from-the-client"})
    found["answers"][path] = {
        "status": answer.status_code,
        "body": answer.content.decode(),
        "rid": answer.headers.get("X-Request-ID"),
    }
print(json.dumps(found))
