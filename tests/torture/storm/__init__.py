"""A storm of probes: thousands, hundreds of them at once."""
