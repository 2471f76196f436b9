"""``dockerflow check``: its arguments, and its exit status."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dockerflow_django.client.command_line import complain, one_line, show
from dockerflow_django.conformance.dockerfile.recommendations import RECOMMENDATIONS
from dockerflow_django.conformance.dockerfile.requirements import REQUIREMENTS
from dockerflow_django.conformance.dockerfile.stages import read
from dockerflow_django.conformance.dockerfile.syntax import NotADockerfileError
from dockerflow_django.conformance.endpoints import SERVICE
from dockerflow_django.conformance.manifests.documents import UnreadableError, read_documents
from dockerflow_django.conformance.manifests.judgement import judge_manifests
from dockerflow_django.conformance.report import as_json, has_passed, lines, painted
from dockerflow_django.conformance.requirement import Result, judge_all
from dockerflow_django.conformance.service import Service, UnreachableError
from dockerflow_django.logging.scrubbing import scrub

if TYPE_CHECKING:
    from argparse import _SubParsersAction

HELP = "judge a service, a Dockerfile or manifests by Dockerflow's requirements"
DESCRIPTION = """\
Judge a running service of any language, a Dockerfile, and Kubernetes or Compose manifests by
Dockerflow's requirements. Exit 0 if all that is demanded is there, 1 if not, 2 for wrong arguments.
"""
TIMEOUT_SECONDS = 5.0
LONGEST_SECONDS = 3600.0
_WRONG_ARGUMENTS = 2


class _WrongArgumentError(Exception):
    """An argument means nothing: the text says which, and why."""


def add_to(commands: _SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the subcommand and its arguments."""
    parser = commands.add_parser("check", help=HELP, description=DESCRIPTION)
    parser.set_defaults(run=run)
    parser.add_argument("url", nargs="?", help="the address of a running service, without a path")
    parser.add_argument("--dockerfile", metavar="PATH", help="a Dockerfile")
    parser.add_argument("--target", metavar="STAGE", help="its stage to judge (default: the last)")
    parser.add_argument(
        "--build-arg",
        metavar="NAME=VALUE",
        action="append",
        type=_pair,
        default=[],
        help="a value for an ARG of the Dockerfile; may be repeated",
    )
    parser.add_argument(
        "--manifest",
        metavar="PATH",
        nargs="+",
        action="extend",
        default=[],
        help="files or folders of Kubernetes or Compose manifests, - for standard input",
    )
    parser.add_argument("--strict", action="store_true", help="fail for a warning, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=_seconds,
        default=TIMEOUT_SECONDS,
        help=f"for each question (default: {TIMEOUT_SECONDS:g})",
    )
    parser.add_argument("--insecure", action="store_true", help="accept any certificate")


def run(options: argparse.Namespace) -> int:
    """Judge what the arguments name, print what was found, and return the exit status."""
    results: list[Result] = []
    errors: list[str] = []
    try:
        for part in _parts(options):
            _collect(part, results, errors)
    except _WrongArgumentError as error:
        complain(f"dockerflow check: {error}")
        return _WRONG_ARGUMENTS
    except KeyboardInterrupt:
        complain("dockerflow check: interrupted")
        return 1
    _print(results, errors, options)
    return 0 if has_passed(results, strict=options.strict) and not errors else 1


def _parts(options: argparse.Namespace) -> list[Iterator[Result]]:
    """Return what is to be judged, once every argument has been understood."""
    parts: list[Iterator[Result]] = []
    if options.url is not None:
        parts.append(_judge_service(_service(options)))
    if options.dockerfile is not None:
        parts.append(_judge_dockerfile(_dockerfile_text(options.dockerfile), options))
    elif options.target or options.build_arg:
        raise _WrongArgumentError("--target and --build-arg go with --dockerfile")
    if options.manifest:
        parts.append(_judge_files(_existing(options.manifest)))
    if not parts:
        raise _WrongArgumentError("nothing to judge: give a URL, --dockerfile or --manifest")
    return parts


def _collect(part: Iterator[Result], results: list[Result], errors: list[str]) -> None:
    try:
        results.extend(part)
    except (UnreachableError, UnreadableError, NotADockerfileError) as error:
        errors.append(scrub(str(error)))


def _service(options: argparse.Namespace) -> Service:
    try:
        return Service(options.url, options.timeout, verify=not options.insecure)
    except ValueError as error:
        raise _WrongArgumentError(str(error)) from None


def _judge_service(service: Service) -> Iterator[Result]:
    service.connect()
    yield from judge_all(service.shown, SERVICE, service)


def _dockerfile_text(path: str) -> str:
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    except OSError as error:
        raise _WrongArgumentError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _WrongArgumentError(f"{path}: not a text in UTF-8") from None


def _judge_dockerfile(text: str, options: argparse.Namespace) -> Iterator[Result]:
    path = "standard input" if options.dockerfile == "-" else options.dockerfile
    try:
        dockerfile = read(text, options.target, dict(options.build_arg))
    except LookupError as error:
        raise _WrongArgumentError(f"{path}: {error.args[0]}") from None
    except NotADockerfileError as error:
        raise NotADockerfileError(f"{path}: {error}") from None
    subject = f"{path} ({options.target})" if options.target else path
    yield from judge_all(subject, (*REQUIREMENTS, *RECOMMENDATIONS), dockerfile)


def _existing(paths: list[str]) -> list[str]:
    for path in paths:
        try:
            if path != "-" and not Path(path).is_dir():
                Path(path).open("rb").close()
        except OSError as error:
            hint = ": a URL comes before --manifest" if "://" in path else ""
            raise _WrongArgumentError(f"{path}: {error.strerror}{hint}") from None
    return paths


def _judge_files(paths: list[str]) -> Iterator[Result]:
    yield from judge_manifests(read_documents(paths))


def _print(results: list[Result], errors: list[str], options: argparse.Namespace) -> None:
    if options.json:
        show(as_json(results, errors, strict=options.strict))
    else:
        for line in lines(results) if results else []:
            show(painted(one_line(line)))
    for error in errors:
        complain(f"dockerflow check: {error}")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= LONGEST_SECONDS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of seconds above 0 and up to {LONGEST_SECONDS:g}"
        )
    return seconds


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=VALUE")
    return name, value
