"""Checks of every temper; each run leaves a line in ``<check>.runs``.

The hung ones hang until the test makes ``<check>.release``.
"""

import asyncio
import time
from typing import Any

from django.core import checks

from tests.project import files


def ok(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    files.count("ok.runs")
    return []


async def ok_async(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    files.count("ok_async.runs")
    await asyncio.sleep(0)
    return []


def warning(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    files.count("warning.runs")
    return [checks.Warning("a warning", id="project.W001")]


def error(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    files.count("error.runs")
    return [checks.Error("an error", id="project.E001")]


def many_errors(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """Find more than one message of a socket holds, once the test has made ``errors``."""
    texts = [f"{number} {150 * 'x'}" for number in range(2000)] if files.is_there("errors") else []
    return [checks.Error(text, id="project.E002") for text in texts]


def raising(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    files.count("raising.runs")
    raise RuntimeError("s3cret in the text of an exception")


def exiting(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    files.count("exiting.runs")
    raise SystemExit(3)


def slow(app_configs: Any, seconds: float = 0.3, **kwargs: Any) -> list[checks.CheckMessage]:
    files.count("slow.runs")
    time.sleep(seconds)
    return []


def hung(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    files.count("hung.runs")
    files.wait_for("hung.release")
    return []


async def hung_async(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    files.count("hung_async.runs")
    async with asyncio.timeout(files.LONGEST_WAIT_SECONDS):
        while not files.is_there("hung_async.release"):  # noqa: ASYNC110 - the test has a file, not an event
            await asyncio.sleep(0.02)
    return []
