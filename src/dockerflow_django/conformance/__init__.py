"""Judge a service, a Dockerfile or manifests by Dockerflow's requirements: no Django settings."""
