"""A command that takes its time, or fails, as the test says."""

import signal
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("seconds", type=float)
        parser.add_argument("--deaf", action="store_true")
        parser.add_argument("--fail", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["deaf"]:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.stdout.write("Sleeping")
        self.stdout.flush()
        time.sleep(options["seconds"])
        if options["fail"]:
            raise CommandError("as told")
