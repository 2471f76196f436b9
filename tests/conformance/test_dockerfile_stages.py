"""Stages, ARG and ENV: what the image of a stage has come to."""

import pytest

from dockerflow_django.conformance.dockerfile.image import Copy
from dockerflow_django.conformance.dockerfile.stages import read


def image(text, target=None, **given):
    return read(text, target, given).image


def test_arguments():
    """An ARG before FROM is for FROM, and for a stage that declares it again."""
    text = """
    ARG TAG=3.13-slim
    ARG NAME
    FROM python:${TAG} AS base
    ARG TAG
    ARG UID=10001
    ENV HOME_OF=/app TAG_SEEN=$TAG NOT_SEEN=$NAME
    FROM base
    WORKDIR ${HOME_OF}
    USER $UID
    """
    made = image(text)
    assert made.base == "python:3.13-slim"
    assert (made.workdir, made.user) == ("/app", "10001")
    assert made.env["TAG_SEEN"] == "3.13-slim"
    assert made.env["NOT_SEEN"] == "$NAME"
    assert image(text, UID="7", TAG="3.14").user == "7"
    assert image(text, UID="7", TAG="3.14").base == "python:3.14"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A", "1"),
        ("${A}", "1"),
        ("${A:-2}", "1"),
        ("${B:-2}", "2"),
        ("${E:-2}", "2"),
        ("${E-2}", ""),
        ("${B-2}", "2"),
        ("${A:+2}", "2"),
        ("${B:+2}", ""),
        ("${E+2}", "2"),
        (r"\$A", r"\$A"),
        ("$B", "$B"),
        ("a$A.b", "a1.b"),
    ],
)
def test_forms_of_a_variable(text, value):
    """A variable has the forms that Docker has; one without a value stays as it is."""
    assert image(f"FROM a\nENV A=1 E=\nUSER {text}").user == value


def test_forms_of_env():
    """ENV has pairs with quotes and the older form, and sees its own line's old values."""
    made = image("FROM a\nENV A 1 2\nENV B=\"x y\" C='z' D=a\\ b\nENV A=9 E=$A")
    assert made.env == {"A": "9", "B": "x y", "C": "z", "D": "a b", "E": "1 2"}


def test_env_goes_before_arg():
    """A value given to the build does not replace ENV."""
    assert image("FROM a\nENV U=app\nARG U=root\nUSER $U", U="x").user == "app"


STAGES = """
FROM python:3.13 AS Base
USER app
CMD ["one"]
FROM base AS other
ENTRYPOINT ["two"]
FROM scratch
COPY --from=base /a /b
"""


def test_target():
    """A stage is named or numbered; without one it is the last."""
    assert image(STAGES).base == "scratch"
    assert image(STAGES, "base").command == ["one"]
    assert image(STAGES, "OTHER").user == "app"
    assert image(STAGES, "0").command == ["one"]
    with pytest.raises(LookupError, match="no stage 'x'; stages are: base, other"):
        image(STAGES, "x")


def test_entrypoint_forgets_the_inherited_command():
    """ENTRYPOINT takes away the CMD of what a stage builds on, and keeps the stage's own."""
    assert image(STAGES, "other").command is None
    assert image(STAGES, "other").forgot_command
    assert image('FROM a\nCMD ["x"]\nENTRYPOINT ["y"]').command == ["x"]
    assert image("FROM a\nENTRYPOINT []").entrypoint is None


def test_stage_does_not_change_the_one_below():
    """What a stage adds is not in the stage it builds on."""
    found = read("FROM a AS b\nENV A=1\nRUN x\nFROM b\nENV A=2\nRUN y\nEXPOSE 1").images
    assert found["b"].env == {"A": "1"}
    assert (len(found["b"].runs), len(found["1"].runs), found["b"].ports) == (1, 2, [])


def test_copies():
    """A relative path is below WORKDIR, which follows itself; a list may hold spaces."""
    made = image(
        'FROM python\nWORKDIR /app\nWORKDIR src\nCOPY a b ./\nADD ["x y", "../z"]\n'
        "COPY --chown=app --from=0 . /app"
    )
    assert [copy.destination for copy in made.copies] == ["/app/src", "/app/z", "/app"]
    assert made.copies[1].sources == ("x y",)
    assert made.copies[2] == Copy(6, (".",), "/app", "app", "0")


def test_unknown_workdir():
    """An image from elsewhere may have a WORKDIR."""
    assert image("FROM company/base\nCOPY . .").copies[0].destination == "/$WORKDIR"
    assert image("FROM company/base\nCOPY . /srv").copies[0].destination == "/srv"


def test_heredocs_are_part_of_what_is_run():
    """The lines of a heredoc are commands, with the variables that are known."""
    made = image('FROM a\nARG UID=10001\nRUN <<EOF\nuseradd -u $UID app\nEOF\nRUN ["a", "b"]')
    assert [run.text for run in made.runs] == ["<<EOF\nuseradd -u 10001 app\n", "a b"]
