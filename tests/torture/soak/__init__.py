"""A soak: a steady load for a long time, and nothing that grows."""
