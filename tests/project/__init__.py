"""A Django project as a user would write it, run in subprocesses only."""
