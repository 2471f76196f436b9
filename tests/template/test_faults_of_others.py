"""The templates that users come from: how-tos that tell the truth, and faults that are gone.

More of their faults are in test_faults.
"""

import json
import re

import pytest
import yaml

from dockerflow_django.conf import Conf
from tests.documents import ROOT, tables_in

HOWTOS = ("from-ddpt", "from-django-docker-template")


def test_static_files_are_collected_in_the_image(made):
    """What starts the service collects nothing, and is the server itself."""
    dockerfile = made.text("Dockerfile")
    assert "manage.py collectstatic" in dockerfile
    stage = dockerfile.rpartition("\nFROM ")[2]
    assert stage.rstrip().endswith('CMD ["serve", "--wait"]')
    assert 'ENTRYPOINT ["python", "manage.py"]' in dockerfile
    for path in ("compose.yaml", "compose.prod.yaml"):
        assert "collectstatic" not in made.text(path)


@pytest.mark.long
def test_dashboard_takes_any_job(made):
    """The dashboard's jobs are those that Prometheus knows, whatever they are called."""
    dashboard = json.loads(made.manage("dockerflow", "--dashboard").stdout)
    (job,) = (each for each in dashboard["templating"]["list"] if each["name"] == "job")
    assert job["definition"] == "label_values(dockerflow_build_info, job)"
    expressions = [
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())
    ]
    assert not [text for text in expressions if re.search(r'job="', text)]
    jobs = yaml.safe_load(made.text("deploy/prometheus/prometheus.yaml"))["scrape_configs"]
    assert {each["metrics_path"] for each in jobs} == {"/__metrics__"}


def test_no_submodules(made):
    """Nothing is fetched by git while the project is made or built."""
    assert not (made.folder / ".gitmodules").exists()
    assert "git clone" not in made.text("Dockerfile")


def test_logs_go_to_standard_output(made):
    """No host for logs is named, and nothing but the server runs in the container."""
    for text in texts(made):
        assert not re.search(r"syslog|SysLogHandler|supervisord|nginx", text)


def texts(made):
    """Yield what is run or deployed, without what README.md explains."""
    for path in made.folder.rglob("*"):
        if path.is_file() and path.suffix != ".md":
            yield path.read_text("utf-8")


END_A_SESSION = """
from config.cache import SessionCache
from redis.exceptions import RedisError
cache = SessionCache("redis://127.0.0.1:1/0", {})
assert cache.get("session") is None
try:
    cache.delete("session")
except RedisError:
    print("not ended")
"""


def test_ended_session_does_not_come_back(made):
    """While Redis is down a session cannot be ended: Redis would bring it back to life."""
    assert made.run("-c", END_A_SESSION).stdout.splitlines()[-1] == "not ended"


@pytest.mark.parametrize("document", HOWTOS)
def test_howto_names_what_exists(made, document):
    """Variables, targets and files that a how-to names on this side are the made project's."""
    cells = [
        row[1] for table in tables_in(ROOT / "docs" / "howto" / f"{document}.rst") for row in table
    ]
    shown = " ".join(cells)
    everything = "\n".join([*texts(made), made.text("README.md"), *vars(Conf)])
    for name in set(re.findall(r"\b[A-Z][A-Z0-9]*_[A-Z_]*[A-Z]\b", shown)):
        assert name in everything, name
    targets = set(re.findall(r"^([\w-]+):", made.text("Makefile"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z][\w-]+)", shown)) <= targets
    for path in re.findall(
        r"(?:^| )((?:[\w.-]+/)+[\w.-]*|[\w.]+\.(?:yaml|toml))(?=[ ,:;]|$)", shown
    ):
        assert (made.folder / path).exists(), path
