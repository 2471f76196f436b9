"""Secrets planted wherever a project has some, and every output searched for them."""
