"""Ask a health endpoint, or a worker's probe file, once: exit 0 if it is well, else 1.

For ``HEALTHCHECK`` in a Dockerfile, health checks of Compose and exec probes. It starts no Django
and imports little, as it runs every few seconds for as long as a container lives. Docker reserves
the status 2, so even a wrong option ends with 1.

.. versionadded:: 0.1
"""

from __future__ import annotations

import os
import sys

from dockerflow_django.client.command_line import (
    asks_for_help,
    complain,
    read_arguments,
    read_seconds,
    run,
    say,
    show,
)
from dockerflow_django.client.http_get import Answer, ask, cause, leave_out_ssl
from dockerflow_django.client.probe_file import DEFAULT_PROBE, PROBES, StaleError, judge
from dockerflow_django.client.target import DEFAULT_PORT, LIVENESS_PATH, Target, locate

__all__ = ["main"]

# Docker gives a health check 30 seconds; a kubelet gives an exec probe 1: pass it there.
TIMEOUT_SECONDS = 4.0
SHORTEST_SECONDS = 0.01
LONGEST_SECONDS = 3600.0

HELP = f"""\
Usage: python -m dockerflow_django.healthcheck [--timeout SECONDS] [--insecure] [URL]
       python -m dockerflow_django.healthcheck --file PATH [--probe NAME]

Exit 0 if the URL answers with a 2xx status in time, else 1.

URL is one of
  (none)                      http://127.0.0.1:$DOCKERFLOW_PROBE_PORT{LIVENESS_PATH},
                              at $DOCKERFLOW_PROBE_HOST if that is one address;
                              without a probe port $PORT, and without that {DEFAULT_PORT}
  /path                       that path on http://127.0.0.1:$PORT
  http://host:port/path
  https://host:port/path
  unix:/run/app.sock:/path    a path on a unix socket
and if the last three have no path, it is {LIVENESS_PATH}.
Proxies are ignored, and a redirect is a failure.

  --timeout SECONDS   for all of it, from looking up the name to the last byte (default {TIMEOUT_SECONDS:g})
  --insecure          accept any certificate: for the container's own, asked on its own address
  --file PATH         read what a background worker writes to DOCKERFLOW_PROBE_FILE instead
  --probe NAME        the probe to read there: {", ".join(PROBES)} (default {DEFAULT_PROBE})
  --help              show this text"""  # noqa: E501 - shorter once the number is in it


def main(arguments: list[str]) -> int:
    """Ask as the arguments say, print one line, and return the exit status."""
    if asks_for_help(arguments):
        show(HELP)
        return 0
    try:
        options = ["timeout=", "insecure", "file=", "probe="]
        given, urls = read_arguments(arguments, options, most_operands=1)
        if "--file" in given or "--probe" in given:
            return check_file(*_file_and_probe(given, urls))
        timeout = given.get("--timeout", str(TIMEOUT_SECONDS))
        seconds = read_seconds("--timeout", timeout, SHORTEST_SECONDS, LONGEST_SECONDS)
        names = ("PORT", "DOCKERFLOW_PROBE_PORT", "DOCKERFLOW_PROBE_HOST")
        target = locate("".join(urls), *(os.environ.get(name, "") for name in names))
    except ValueError as error:
        complain(f"healthcheck: {error} (--help shows how to call it)")
        return 1
    return check(target, seconds, verify="--insecure" not in given)


def check(target: Target, seconds: float, *, verify: bool = True) -> int:
    """Ask the target once, print one line that says what came of it, and return the exit status."""
    try:
        answer = ask(target, seconds, verify=verify)
    except Exception as error:  # noqa: BLE001 - the line is for someone who cannot read a traceback
        complain(f"healthcheck: {target.shown}: {cause(error, seconds)}")
        return 1
    if answer.status // 100 == 2:  # noqa: PLR2004 - HTTP's class of success
        say(f"{target.shown}: {answer.status} {answer.reason}")
        return 0
    complain(f"healthcheck: {target.shown}: {_failure(answer)}")
    return 1


def check_file(path: str, probe: str = DEFAULT_PROBE) -> int:
    """Read a worker's probe file, print one line that says what is in it, and return the status."""
    try:
        say(f"{path}: {judge(path, probe)}")
    except (StaleError, ValueError) as error:
        complain(f"healthcheck: {path}: {error}")
        return 1
    return 0


def _file_and_probe(given: dict[str, str], urls: list[str]) -> tuple[str, str]:
    probe = given.get("--probe", DEFAULT_PROBE)
    if not given.get("--file"):
        raise ValueError("--probe goes with --file PATH; in a URL the path names the probe")
    if urls:
        raise ValueError("--file PATH and a URL exclude each other")
    if probe not in PROBES:
        raise ValueError(f"--probe {probe!r} is none of {', '.join(PROBES)}")
    return given["--file"], probe


def _failure(answer: Answer) -> str:
    if answer.status // 100 == 3:  # noqa: PLR2004 - HTTP's class of redirection
        place = answer.location.rpartition("@")[2].partition("?")[0]
        return f"{answer.status}, a redirect to {place}: not followed, no health endpoint sends one"
    hint = _HINTS.get(answer.status, "")
    return f"{answer.status} {answer.reason} {hint} {answer.body}"


_HINTS = {
    400: "(is DockerflowMiddleware the first? it answers whatever ALLOWED_HOSTS holds)",
    404: "(is dockerflow_django.urls included?)",
}


if __name__ == "__main__":
    leave_out_ssl()
    sys.exit(run(main))
