"""What a made project is shipped with is valid, by the published schemas and by linters."""

import json
import os
import re
import subprocess

import pytest
import yaml

from dockerflow_django.conformance.dockerfile.syntax import parse
from tests.programs import beside_python, need
from tests.template.manifests import KUBERNETES, manifests


def test_dockerfile(made):
    """Hadolint, with shellcheck inside, finds nothing to say."""
    lint = [beside_python("hadolint"), "--failure-threshold", "style", "Dockerfile"]
    done = subprocess.run(lint, cwd=made.folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.long
@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ("compose-spec", "compose.yaml"),
        ("compose-spec", "compose.prod.yaml"),
        ("github-workflows", ".github/workflows/ci.yaml"),
        ("dependabot", ".github/dependabot.yml"),
    ],
)
def test_schema(made, schema, path):
    """The file is valid by the schema that check-jsonschema brings."""
    check = [beside_python("check-jsonschema"), "--builtin-schema", f"vendor.{schema}", path]
    done = subprocess.run(check, cwd=made.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.parametrize("translated", [False, True])
def test_translations_are_compiled_in_the_image(project, translated):
    """The build's step compiles what there is, and is content with nothing."""
    need("msgfmt", everywhere=False)
    (step,) = (
        step.text
        for step in parse(project.text("Dockerfile"))
        if step.name == "RUN" and "compilemessages" in step.text
    )
    messages = project.folder / "locale" / "de" / "LC_MESSAGES"
    if translated:
        messages.mkdir(parents=True)
        (messages / "django.po").write_text('msgid "Profile"\nmsgstr "Profil"\n')
    environ = project.env(PATH=f"{beside_python('uv').parent}:{os.environ['PATH']}")
    subprocess.run(["/bin/sh", "-ec", step], cwd=project.folder, env=environ, check=True)
    assert (messages / "django.mo").exists() is translated


def test_gettext_is_where_messages_are_made(made):
    """Development and the build stand on the stage with gettext; what is shipped does not."""
    *_, text = made.text("Dockerfile").partition(" AS dependencies")
    stage, _, rest = text.partition("\nFROM ")
    assert "install --yes --no-install-recommends gettext" in stage
    assert re.findall(r"^FROM (\S+) AS (\w+)", f"FROM {rest}", re.MULTILINE) == [
        ("dependencies", "development"),
        ("dependencies", "build"),
        ("base", "production"),
    ]


def test_caddyfile(made):
    """Caddy reads it, and keeps the probes inside."""
    caddy = need("caddy")
    adapted = subprocess.run(
        [caddy, "adapt", "--config", "deploy/caddy/Caddyfile"],
        cwd=made.folder,
        env=made.env(DOMAIN="www.example.com"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert adapted.returncode == 0, adapted.stderr
    assert "www.example.com" in adapted.stdout
    assert '"/__heartbeat__/*"' in adapted.stdout


def test_prometheus_configuration(made):
    """Promtool reads it; the rules are those that the app exports, from a shared folder."""
    path = made.folder / "deploy" / "prometheus" / "prometheus.yaml"
    check = [need("promtool"), "check", "config", "--syntax-only", path]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (rules,) = yaml.safe_load(path.read_text())["rule_files"]
    assert rules == "/etc/prometheus/exported/rules.yaml"


def test_dashboard_is_the_apps(made):
    """Grafana reads the dashboard that the app writes: there is no second copy."""
    services = yaml.safe_load(made.text("compose.yaml"))["services"]
    assert "manage.py dockerflow --dashboard > /exported/" in services["export"]["command"][0]
    (provider,) = yaml.safe_load(
        made.text("deploy/grafana/provisioning/dashboards/dockerflow.yaml")
    )["providers"]
    mount = f"exported:{provider['options']['path']}:ro"
    assert mount in services["grafana"]["volumes"]
    assert not list(made.folder.rglob("*.json"))


def test_makefile(made):
    """Make reads every target, and `make help` lists them."""
    make = need("make")
    targets = re.findall(r"^([a-z-]+):.*## ", made.text("Makefile"), re.MULTILINE)
    ddpt = (
        "help build run rund stop enter enter-root shell test debug compilemessages format"
        " format-diff logs list-packages list-outdated py-info clean-py flush-cache remove"
        " remove-full first-run fix-volume-permission"
    )
    assert set(ddpt.split()) <= set(targets)
    for target in targets:
        dry = subprocess.run(
            [make, "--dry-run", target], cwd=made.folder, capture_output=True, check=False
        )
        assert dry.returncode == 0, target
    help_ = subprocess.run([make, "help"], cwd=made.folder, capture_output=True, check=True)
    assert len(help_.stdout.splitlines()) == len(targets)


def test_conformance(made):
    """`dockerflow check` finds nothing wrong with the Dockerfile and the manifests."""
    files = ["compose.yaml", "compose.prod.yaml", f"{KUBERNETES}/base"]
    check = ["check", "--strict", "--dockerfile", "Dockerfile", "--manifest", *files]
    assert " 0 fail, 0 warn" in made.run("-m", "dockerflow_django", *check).stdout


SERVICES = ("web", "worker", "beat", "migrate")


@pytest.mark.parametrize("path", ["compose.yaml", "compose.prod.yaml"])
def test_health_conditions(made, path):
    """Every service that runs on is asked for its health; Compose waits until it is well."""
    services = yaml.safe_load(made.text(path))["services"]
    for name, service in services.items():
        conditions = service.get("depends_on", {}).values()
        assert all(condition["condition"] != "service_started" for condition in conditions), name
    for name in ("worker", "beat"):
        assert services[name]["healthcheck"]["test"][-2:] == ["--file", "/tmp/probes.json"]
        assert services[name]["environment"]["DOCKERFLOW_PROBE_FILE"] == "/tmp/probes.json"


def test_swarm_updates_one_by_one(made):
    """Each update starts the new task first, one after the other, and rolls back on failure."""
    services = yaml.safe_load(made.text("compose.prod.yaml"))["services"]
    for name in ("web", "worker"):
        deploy = services[name]["deploy"]
        assert deploy["replicas"] == 2
        update = deploy["update_config"]
        assert (update["parallelism"], update["order"]) == (1, "start-first")
        assert update["failure_action"] == "rollback"
        assert deploy["rollback_config"]["parallelism"] == 1
    assert services["migrate"]["deploy"]["mode"] == "replicated-job"
    assert services["beat"]["deploy"]["update_config"]["order"] == "stop-first"


def workers(made):
    """Yield the environment and the grace period, in seconds, of each worker that is shipped."""
    for path in ("compose.yaml", "compose.prod.yaml"):
        service = yaml.safe_load(made.text(path))["services"]["worker"]
        yield service["environment"], service["stop_grace_period"]
    (manifest,) = yaml.safe_load_all(made.text(f"{KUBERNETES}/base/worker.yaml"))
    pod = manifest["spec"]["template"]["spec"]
    environment = {one["name"]: one["value"] for one in pod["containers"][0]["env"]}
    yield environment, f"{pod['terminationGracePeriodSeconds']}s"


def test_soft_shutdown_of_the_workers(made):
    """SIGTERM begins Celery's soft shutdown, and the container is not killed before its end."""
    (seconds,) = re.findall(
        r'"CELERY_SOFT_SHUTDOWN_SECONDS", default=(\d+)', made.text("config/settings.py")
    )
    found = list(workers(made))
    assert len(found) == 3
    for environment, grace in found:
        assert environment["REMAP_SIGTERM"] == "SIGQUIT"
        assert int(grace.removesuffix("s")) >= int(seconds) + 10


def test_secrets_are_files(made):
    """Swarm and Kubernetes hand out secrets as files: no manifest holds one."""
    stack = yaml.safe_load(made.text("compose.prod.yaml"))
    names = set(stack["secrets"])
    assert names == {"postgres_password", "secret_key", "sentry_dsn"}
    for service in ("web", "worker", "beat", "migrate"):
        assert set(stack["services"][service]["secrets"]) == names
        environment = stack["services"][service]["environment"]
        for name in names:
            assert environment[f"{name.upper()}_FILE"] == f"/run/secrets/{name}"


def variables(made):
    """Return every variable that Compose, Swarm and Kubernetes give to the app."""
    for path in ("compose.yaml", "compose.prod.yaml"):
        services = yaml.safe_load(made.text(path))["services"]
        for name in SERVICES:
            yield from services[name]["environment"]
    for manifest in manifests(made):
        if manifest["kind"] == "ConfigMap":
            yield from manifest["data"]


def test_every_variable_is_read(made):
    """A variable that a manifest sets is one that the settings or the app read."""
    text = made.text("config/settings.py")
    read = set(re.findall(r'(?:env|secret)\(\s*"(\w+)"', text))
    files = {f"{name}_FILE" for name in re.findall(r'secret\(\s*"(\w+)"', text)}
    given = {name for name in variables(made) if not name.startswith("DOCKERFLOW_")}
    assert given <= read | files | {"PORT", "REMAP_SIGTERM"}


def test_variables_are_documented(made):
    """README.md has a row for each variable that the settings read."""
    read = set(re.findall(r'(?:env|secret)\(\s*"(\w+)"', made.text("config/settings.py")))
    assert read <= set(re.findall(r"`(\w+)`", made.text("README.md")))


def test_no_download_at_build_or_start(made):
    """Nothing is fetched and run that is not a package or an image with a version."""
    text = made.text("Dockerfile") + made.text("compose.yaml") + made.text("compose.prod.yaml")
    assert not re.search(r"curl|ADD https?:|:latest", text)
    assert not list(made.folder.rglob("*.sh"))


COMMANDS = """
import django, json
from django.core.management import get_commands
django.setup()
print(json.dumps(sorted(get_commands())))
"""


@pytest.mark.long
def test_commands_of_the_readme(made):
    """Each target and each management command that README.md names exists."""
    readme = made.text("README.md")
    targets = set(re.findall(r"^([a-z-]+):.*## ", made.text("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)(?:[A-Z]+=\S+ )?make ([a-z-]+)", readme, re.MULTILINE))
    assert {"build", "deploy", "deploy-kubernetes", "test"} <= named <= targets
    commands = set(re.findall(r"manage\.py ([a-z_]+)", readme))
    known = made.run("-c", COMMANDS, DJANGO_SETTINGS_MODULE="config.settings").stdout
    assert {"migrate", "serve", "dockerflow"} <= commands <= set(json.loads(known))
