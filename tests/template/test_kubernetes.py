"""A made project's Kubernetes manifests are valid, and locked down."""

import json
import re
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.documents import ROOT, blocks_in
from tests.programs import need
from tests.template.manifests import KUBERNETES, manifests

# Written after the custom resource definitions of the two operators: see each "$comment".
SCHEMAS = Path(__file__).parent / "schemas"


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


def test_keda_scales_as_the_page_says(made):
    """The scaler adds up what the pods say, by the same options as the how-to's."""
    page = blocks_in(ROOT / "docs" / "howto" / "autoscaling.rst")[0].text
    shown, ours = (
        trigger["metadata"]
        for manifest in (*yaml.safe_load_all(page), *manifests(made))
        if manifest["kind"] == "ScaledObject"
        for trigger in manifest["spec"]["triggers"]
        if trigger["type"] == "metrics-api"
    )
    assert {**shown, "url": ours["url"]} == ours


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


def test_without_the_operator_of_prometheus(project):
    """The file and the line that README.md names can be deleted."""
    base = project.folder / KUBERNETES / "base"
    named = re.search(
        r"delete `(base/\S+)` and its line in `(base/\S+)`", project.text("README.md")
    )
    file, kustomization = (base.parent / path for path in named.groups())
    file.unlink()
    kustomization.write_text(kustomization.read_text().replace(f"  - {file.name}\n", ""))
    assert "ServiceMonitor" not in {manifest["kind"] for manifest in built(base)}


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
