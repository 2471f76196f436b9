"""Instructions are read as BuildKit reads them."""

import sys
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from dockerflow_django.conformance.dockerfile.stages import read
from dockerflow_django.conformance.dockerfile.syntax import (
    _INSTRUCTIONS,
    NotADockerfileError,
    parse,
)

# The wheel of BuildKit's parser is there for one platform only.
needs_buildkit = pytest.mark.skipif(
    find_spec("dockerfile") is None, reason=f"no wheel of dockerfile for {sys.platform}"
)

HEREDOCS = """\
FROM python:3.13-slim
RUN <<EOF
# no comment of the Dockerfile
USER root
groupadd app \\
EOF
RUN <<-"A" cat > /x && <<'B' cat
\tone
\tA
two
B
COPY <<-one.txt <<two.txt /app/
\tx
one.txt
y
two.txt
RUN echo "<<NO" '<<NO' 1<<<NO
RUN 3<<THREE true
three
THREE
ONBUILD RUN <<EOF
USER root
EOF
onbuild copy <<EOF /app/x
ONBUILD
EOF
ONBUILD USER <<NO
USER app
"""
CONTINUED = """\
# syntax=docker/dockerfile:1
FROM python:3.13-slim \\
  AS base
RUN apt-get update && \\
    # a comment within
\t# another
    apt-get install -y \\

    adduser  \\\t
    passwd
ENV A=1 \\
    B="two words" C='x y'
RUN echo C:\\\\
RUN echo one \\\\\\
CMD ["a", \\
     "b"]
"""
BACKTICK = """\
# escape=`
FROM python:3.13-slim
RUN echo a `
    b\\
RUN echo ``
COPY . C:\\app\\
USER app
"""
FLAGS = """\
FROM --platform=$BUILDPLATFORM python:3.13-slim AS base
COPY --from=build --chown=app:app --link /a /b /app/
RUN --mount=type=cache,target=/root/.cache --network=none pip install x --no-deps
HEALTHCHECK --interval=10s --timeout=5s CMD ["python", "-m", "x"]
  cmd run
entrypoint ["/x"]
MAINTAINER somebody
"""
ALONE = "FROM a\nRUN \\\n\\\n    echo\n"
FILES = {
    "alone": ALONE,
    "heredocs": HEREDOCS,
    "continued": CONTINUED,
    "backtick": BACKTICK,
    "flags": FLAGS,
}


def ours(text):
    return [
        (found.line, found.name, found.flags, found.items or found.text, _heredocs(found))
        for found in parse(text)
    ]


def _heredocs(found):
    """Return the heredocs, but not ONBUILD's, which the wheel of BuildKit's parser loses."""
    return () if found.name == "ONBUILD" else found.heredocs


def buildkits(text):
    import dockerfile

    commands = dockerfile.parse_string(text)
    return [
        (
            command.start_line,
            command.cmd.upper(),
            tuple(command.flags),
            list(command.value) if _is_list(command) else _rest(command),
            tuple(_chomped(command, heredoc) for heredoc in command.heredocs),
        )
        for command in commands
    ]


def _is_list(command):
    return command.json and command.cmd.upper() != "HEALTHCHECK"


def _rest(command):
    """Return what follows the name and the flags; the heredocs stand below the first line."""
    rest = command.original.partition(command.cmd)[2] or command.original[len(command.cmd) :]
    for flag in command.flags:
        rest = rest.replace(flag, "", 1)
    return (rest.split("\n")[0] if command.heredocs else rest).strip()


def _chomped(command, heredoc):
    """Take away the tabs that ``<<-`` allows: BuildKit does it when it runs the command."""
    first = command.original.partition("\n")[0].replace('"', "").replace("'", "")
    is_chomped = f"<<-{heredoc.name}" in first
    lines = heredoc.content.splitlines(keepends=True)
    return "".join(line.lstrip("\t") if is_chomped else line for line in lines)


@needs_buildkit
@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_as_buildkit(text):
    """Lines, names, flags, lists and heredocs are those of BuildKit's own parser."""
    assert ours(text) == buildkits(text)


LINES = st.sampled_from(
    [
        *HEREDOCS.splitlines(),
        *CONTINUED.splitlines(),
        *FLAGS.splitlines(),
        "",
        "#",
        "EOF",
        "RUN x <<EOF",
        "RUN <<-EOF",
        "\tEOF",
        "COPY <<EOF /app/x",
        'CMD ["a", "b"]',
        "RUN a \\",
        "ENV A=b",
    ]
)


@pytest.mark.long
@needs_buildkit
# Many lines in a row are nothing that BuildKit can parse.
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(st.lists(LINES, max_size=12))
def test_any_lines_as_buildkit(lines):
    """Whatever lines follow each other: what BuildKit can parse is read alike."""
    import dockerfile

    text = "\n".join(["FROM scratch", *lines])
    try:
        expected = buildkits(text)
    except dockerfile.GoParseError:
        assume(False)
    names = [command[1] for command in expected]
    # BuildKit finds out later that there is no such instruction.
    assume(_INSTRUCTIONS.issuperset(names))
    assert [command[1] for command in ours(text)] == names
    assert [command[4] for command in ours(text)] == [command[4] for command in expected]


def test_heredocs_of_onbuild():
    """The instruction that ONBUILD keeps for later has its heredocs."""
    found = parse("ONBUILD RUN <<EOF\nUSER root\nEOF\nonbuild\nUSER app")
    assert [(each.name, each.heredocs) for each in found] == [
        ("ONBUILD", ("USER root\n",)),
        ("ONBUILD", ()),
        ("USER", ()),
    ]


def test_line_endings():
    """Windows' line ends and a byte order mark are no part of an instruction."""
    windows = f"\ufeff{HEREDOCS}".replace("\n", "\r\n")
    assert parse(windows) == parse(HEREDOCS)
    assert parse("FROM a\nRUN x\fy")[1].text == "x\fy"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("FROM a\nRUN <<EOF\nx", "line 2: nothing ends the heredoc 'EOF'"),
        ("FROM a\n{}", "line 2: '{}' is no instruction"),
        ("", "there is no FROM"),
        ("# check=skip=all", "there is no FROM"),
        ("# nothing\nARG A=1", "there is no FROM"),
        ("RUN x\nFROM a", "line 1: RUN stands before the first FROM"),
        ("FROM", "line 1: FROM lacks an image"),
    ],
)
def test_no_dockerfile(text, reason):
    """What is none is said with its line."""
    with pytest.raises(NotADockerfileError) as caught:
        read(text)
    assert str(caught.value) == reason
