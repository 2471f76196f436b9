"""The Kubernetes objects of a made project."""

import yaml

KUBERNETES = "deploy/kubernetes"


def manifests(made):
    """Yield each Kubernetes object, but what kustomize alone reads."""
    for path in sorted((made.folder / KUBERNETES).rglob("*.yaml")):
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(path.read_text())
