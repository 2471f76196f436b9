"""A ``gunicorn.conf.py`` as the documentation has it."""

from dockerflow_django.gunicorn import *  # noqa: F403 - the documented line
