"""What a made project is shipped with is valid, by the published schemas and by linters."""

import json
import re
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.programs import beside_python, need

KUBERNETES = "deploy/kubernetes"
# Written after the custom resource definitions of the two operators: see each "$comment".
SCHEMAS = Path(__file__).parent / "schemas"


def test_dockerfile(made):
    """Hadolint, with shellcheck inside, finds nothing to say."""
    lint = [beside_python("hadolint"), "--failure-threshold", "style", "Dockerfile"]
    done = subprocess.run(lint, cwd=made.folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


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


def manifests(made):
    """Yield each Kubernetes object, but what kustomize alone reads."""
    for path in sorted((made.folder / KUBERNETES).rglob("*.yaml")):
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(path.read_text())


def test_manifests(made):
    """Each object is valid by Kubernetes's schema, strictly; a custom one by its own."""
    seen = set()
    for manifest in manifests(made):
        kind = manifest["kind"]
        seen.add(kind)
        if (schema := SCHEMAS / f"{kind}.json").exists():
            Draft202012Validator(json.loads(schema.read_text())).validate(manifest)
        else:
            kubernetes_validate.validate(manifest, desired_version="1.34", strict=True)
    assert {
        "ConfigMap", "Deployment", "HorizontalPodAutoscaler", "Ingress", "Job", "NetworkPolicy",
        "PodDisruptionBudget", "ScaledObject", "Service", "ServiceMonitor",
    } == seen  # fmt: skip


@pytest.mark.parametrize("with_keda", [False, True])
def test_kustomize(project, with_keda):
    """Kustomize builds it; with KEDA's component there is no other autoscaler."""
    path = project.folder / KUBERNETES / "production" / "kustomization.yaml"
    if with_keda:
        text = path.read_text().replace("# components:", "components:")
        path.write_text(text.replace("#   - ../components", "  - ../components"))
    kinds = [manifest["kind"] for manifest in built(path.parent)]
    assert ("ScaledObject" in kinds) is with_keda
    assert ("HorizontalPodAutoscaler" in kinds) is not with_keda


def built(folder):
    # No registry brings kubectl: this test is for machines that have it.
    command = [need("kubectl", everywhere=False), "kustomize", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def test_every_manifest_is_named(made):
    """Each file beside a kustomization.yaml is a resource of it."""
    for path in (made.folder / KUBERNETES).rglob("kustomization.yaml"):
        beside = {other.name for other in path.parent.glob("*.yaml")} - {path.name}
        named = yaml.safe_load(path.read_text())["resources"]
        assert beside == {name for name in named if name.endswith(".yaml")}


def containers(made):
    for manifest in manifests(made):
        if manifest["kind"] in {"Deployment", "Job"}:
            pod = manifest["spec"]["template"]["spec"]
            yield manifest["metadata"]["name"], pod, pod["containers"][0]


def test_pods_are_locked_down(made):
    """Each runs as 10001, reads its files only, may nothing, and has no token."""
    names = set()
    for name, pod, container in containers(made):
        names.add(name)
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsUser"] == 10001
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}} in pod["volumes"]
    assert names == {"app", "app-beat", "app-migrate", "app-worker"}


def test_probe_port_is_not_public(made):
    """Users' Service and Ingress know the port `http` alone, and the policy closes the other."""
    objects = {(one["kind"], one["metadata"]["name"]): one for one in manifests(made)}
    (port,) = objects["Service", "app"]["spec"]["ports"]
    assert port["targetPort"] == "http"
    (rule,) = objects["Ingress", "app"]["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert path["backend"]["service"] == {"name": "app", "port": {"name": "http"}}
    (rule,) = objects["NetworkPolicy", "app-web"]["spec"]["ingress"]
    assert rule["ports"] == [{"port": "http", "protocol": "TCP"}]


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
    assert given <= read | files | {"PORT"}


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


def test_commands_of_the_readme(made):
    """Each target and each management command that README.md names exists."""
    readme = made.text("README.md")
    targets = set(re.findall(r"^([a-z-]+):.*## ", made.text("Makefile"), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)(?:[A-Z]+=\S+ )?make ([a-z-]+)", readme, re.MULTILINE))
    assert {"build", "deploy", "deploy-kubernetes", "test"} <= named <= targets
    commands = set(re.findall(r"manage\.py ([a-z_]+)", readme))
    known = made.run("-c", COMMANDS, DJANGO_SETTINGS_MODULE="config.settings").stdout
    assert {"migrate", "serve", "dockerflow"} <= commands <= set(json.loads(known))
