"""Read Kubernetes manifests and Compose files, and judge the containers that they describe."""
