"""The project's management commands."""

import sys
from os import environ

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.project.settings")
    execute_from_command_line(sys.argv)
