"""Exactly once: a summary for each request that reaches Django, and for nothing else."""
