"""Requirements of a Dockerfile: each fails exactly where it should."""

import pytest

from dockerflow_django.conformance.dockerfile.recommendations import RECOMMENDATIONS
from dockerflow_django.conformance.dockerfile.requirements import REQUIREMENTS
from dockerflow_django.conformance.dockerfile.stages import read
from dockerflow_django.conformance.requirement import judge_all
from tests.conformance.results import named

FROM = "FROM python:3.13-slim"
ACCOUNTS = "RUN groupadd -g 10001 app && useradd -u 10001 -g app app"
COPY = "WORKDIR /app\nCOPY . ."
START = 'USER app\nENTRYPOINT ["/app/run"]\nCMD ["serve"]'
RIGHT = "\n".join([FROM, ACCOUNTS, COPY, START])


def judge(text, target=None, **given):
    dockerfile = read(text, target, given)
    results = judge_all("it", (*REQUIREMENTS, *RECOMMENDATIONS), dockerfile)
    return {result.requirement.name: result for result in results}


def status(text, name, **given):
    return judge(text, **given)[name].status


def file(*, base=FROM, accounts=ACCOUNTS, copy=COPY, start=START):
    return "\n".join([base, accounts, copy, start])


def test_right_dockerfile():
    """A Dockerfile to the rules has nothing but ok, and a port that nobody has named."""
    results = judge(RIGHT)
    assert named(results, "fail", "warn") == set()
    assert named(results, "skip") == {"default-port"}


ROOT = "USER root"
FAULTY = {
    "sources elsewhere": (file(copy="WORKDIR /srv\nCOPY . ."), {"sources-in-app"}),
    "nothing copied": (file(copy=""), {"sources-in-app"}),
    "a folder that begins alike": (file(copy="COPY . /application"), {"sources-in-app"}),
    "no accounts": (file(accounts=""), {"group", "user"}),
    "a user of another name": (
        file(accounts="RUN useradd -u 10001 django", start=START.replace("app\n", "django\n", 1)),
        {"group", "user", "default-user"},
    ),
    "another number": (
        file(accounts="RUN groupadd -g 10001 app && useradd -u 1000 -g app app"),
        {"user"},
    ),
    "no number": (file(accounts="RUN useradd app"), {"group", "user"}),
    "another group's number": (
        file(accounts="RUN groupadd app && useradd -u 10001 -g app app"),
        {"group"},
    ),
    "another group": (
        file(accounts="RUN groupadd -g 10001 app && useradd -u 10001 -g users app"),
        {"user"},
    ),
    "a number that is changed": (
        file(accounts=f"{ACCOUNTS} && groupmod -g 1000 app && usermod -u 1000 app"),
        {"group", "user"},
    ),
    "other further groups": (
        file(
            accounts="RUN groupadd -g 10001 app && useradd -u 10001 -g users -G app app"
            " && usermod -G audio app"
        ),
        {"user"},
    ),
    "no entrypoint": (file(start='USER app\nCMD ["x"]'), {"entrypoint-and-cmd"}),
    "no command": (file(start='USER app\nENTRYPOINT ["x"]'), {"entrypoint-and-cmd"}),
    "a command taken away": (
        file(start='USER app\nENTRYPOINT ["x"]\nCMD []'),
        {"entrypoint-and-cmd"},
    ),
    "root": (file(start=f"{START}\n{ROOT}"), {"default-user"}),
    "no user": (file(start=START.replace("USER app\n", "")), {"default-user"}),
    "another group of the process": (f"{RIGHT}\nUSER app:root", {"default-user"}),
}


@pytest.mark.parametrize(("text", "failing"), FAULTY.values(), ids=FAULTY)
def test_faulty_dockerfile(text, failing):
    """A Dockerfile with one fault fails what that fault is about."""
    assert named(judge(text), "fail") == failing


ACCOUNTS_RIGHT = {
    "long options": "RUN groupadd --gid=10001 app; useradd --uid 10001 --gid app --create-home app",
    "system options": "RUN groupadd -r -g 10001 app && useradd -rm -u10001 -g 10001 -s /bin/sh app",
    "busybox": "RUN addgroup -g 10001 -S app && adduser -S -D -H -G app -u 10001 -g '' app",
    "Debian": "RUN addgroup --gid 10001 app && adduser --uid 10001 --gid 10001 --gecos '' app",
    "Debian by name": "RUN addgroup --gid 10001 app\nRUN adduser --uid 10001 --ingroup app app",
    "busybox alone": "RUN adduser -D -u 10001 app",
    "shadow alone": "RUN useradd -U -u 10001 app",
    "a group of its name": "RUN useradd --uid 10001 app",
    "a further group": "RUN groupadd -g 10001 app && useradd -u 10001 -g users -G audio,app app",
    "joined later": "RUN addgroup -g 10001 app && adduser -u 10001 -G users app && adduser app app",
    "joined by addgroup": (
        "RUN addgroup -g 10001 app && adduser -u 10001 -G users app && addgroup app app"
    ),
    "heredoc": "RUN <<EOF\nset -e\ngroupadd -g 10001 app\nuseradd -u 10001 -g app app\nEOF",
    "an interpreter's heredoc": "RUN <<'EOF' sh\ngroupadd -g 10001 app\nuseradd -u 10001 app\nEOF",
    "arguments": "ARG U=10001 G=10001\nRUN groupadd -g $G app && useradd -u ${U} -g app app",
    "a list": 'RUN ["useradd", "-u", "10001", "app"]',
    "a condition": "RUN if ! id app; then useradd -u 10001 app; fi",
    "tools that are installed": "RUN apk add adduser && apk add addgroup && adduser -u 10001 app",
    "output elsewhere": "RUN useradd -u 10001 app >/dev/null 2>&1",
    "quotes over parts": "RUN sh -c 'true; useradd -u 10001 app'",
    "a path": "RUN /usr/sbin/useradd -u 10001 app",
    "a whole command in quotes": 'RUN sh -c "useradd -u 10001 app"',
    "a tool in a text": (
        "RUN groupadd -g 10001 app && useradd -u 10001 -g app app && echo 'made by useradd app'"
    ),
    "separators in quotes": (
        "RUN useradd --uid 10001 --gid app --comment 'Runs & serves' app"
        ' || useradd --uid 10001 --comment "App user (service); ours" app'
    ),
    "quotes in quotes": """RUN sh -c "useradd -c 'App (us)' -u 10001 app\"""",
    "an escaped separator": r"RUN find / -exec true \; && useradd -u 10001 -c A\;\#B app",
    "an apostrophe in a comment": "RUN <<EOF\n# it's ours\nuseradd -u 10001 app # isn't it\nEOF",
    "an apostrophe that nothing closes": "RUN <<EOF cat >x && useradd -u 10001 app\nIt's\nEOF",
    "a no-break space": "RUN echo a\u00a0b && useradd -u 10001 app",
    "changed numbers": (
        "RUN useradd app && groupmod -g 10001 app && usermod -u 10001 --shell /bin/sh app"
    ),
    "changed names": (
        "RUN groupadd -g 1 web && useradd -u 10001 -g web -G audio web"
        " && groupmod --new-name app --gid 10001 web && usermod --login app -aG video web"
    ),
    "a changed group": (
        "RUN groupadd -g 10001 app && useradd -u 10001 -g users app && usermod -g app app"
    ),
    "another further group": (
        "RUN groupadd -g 10001 app && useradd -u 10001 -g users app && usermod -a -G app app"
    ),
    "lines of files": (
        "RUN echo 'app:x:10001:10001::/app:/bin/sh' >> /etc/passwd"
        " && echo 'app:x:10001:' >> /etc/group"
    ),
    "files": (
        "COPY <<EOF /etc/passwd\napp:x:10001:10001::/app:/sbin/nologin\nEOF\n"
        "COPY <<EOF /etc/group\napp:x:10001:\nEOF"
    ),
}


@pytest.mark.parametrize("accounts", ACCOUNTS_RIGHT.values(), ids=ACCOUNTS_RIGHT)
def test_accounts(accounts):
    """The accounts are found, whatever tool makes them."""
    results = judge(file(accounts=accounts))
    assert [results[name].status for name in ("group", "user", "default-user")] == ["ok"] * 3


def test_unknown_group():
    """A group that an argument names is not known here."""
    accounts = "ARG G\nRUN groupadd -g 10001 app && useradd -u 10001 -g $G app"
    assert status(file(accounts=accounts), "user") == "skip"


NOT_KNOWN = {
    "a script": file(accounts="COPY setup.sh /\nRUN /setup.sh"),
    "a number without a value": file(
        accounts="ARG ID\nRUN groupadd -g $ID app && useradd -u $ID -g app app"
    ),
    "a number in braces": file(accounts="RUN groupadd -g ${ID} app && useradd -u ${ID} -g app app"),
    "a number from a command": file(
        accounts="RUN groupadd -g $(cat id) app && useradd -u `cat id` -g app app"
    ),
    "files from the context": file(accounts="COPY etc/ /etc/"),
    "an existing user": file(accounts="RUN usermod -l app -u 10001 node && groupmod -n app node"),
    "the base image": file(base="FROM company/python:1", accounts=""),
    "the base image of a registry": file(base="FROM quay.io/ours/python", accounts=""),
}


@pytest.mark.parametrize("text", NOT_KNOWN.values(), ids=NOT_KNOWN)
def test_accounts_that_cannot_be_seen(text):
    """What may be elsewhere is skipped, not failed."""
    results = judge(text)
    assert {results["group"].status, results["user"].status} == {"skip"}
    assert named(results, "fail") == set()


def test_accounts_of_another_stage():
    """Files copied from a stage have the accounts that were made there."""
    base = f"{FROM} AS build\n{ACCOUNTS}\nFROM scratch"
    copied = "COPY --from=build /etc/passwd /etc/group /etc/"
    results = judge(file(base=base, accounts=copied))
    assert named(results, "fail") == set()
    assert results["user"].status == "ok"
    # Without the files the stage's accounts are not in the image.
    assert named(judge(file(base=base, accounts="")), "fail") == {"group", "user"}


@pytest.mark.parametrize("user", ["10001", "app:app", "10001:10001", "app:10001", '"app"'])
def test_user_by_number(user):
    """A number is as good as the name: Kubernetes can judge only that."""
    assert status(f"{RIGHT}\nUSER {user}", "default-user") == "ok"


def test_inherited_user():
    """A user may come from a stage below, from the base image, or from an argument."""
    start = START.replace("USER app\n", "")
    inherited = f"{FROM} AS base\n{ACCOUNTS}\nUSER app\nFROM base"
    assert status(file(base=inherited, start=start), "default-user") == "ok"
    assert status(file(base="FROM company/python", start=start), "default-user") == "skip"
    assert status(f"ARG WHO\n{RIGHT}\nARG WHO\nUSER $WHO", "default-user") == "skip"
    assert status(f"{RIGHT}\nARG WHO=root\nUSER $WHO", "default-user") == "fail"
    assert status(f"{RIGHT}\nARG WHO=root\nUSER $WHO", "default-user", WHO="app") == "ok"


def test_inherited_entrypoint():
    """An entrypoint may be the base image's, which only some are known not to have."""
    start = 'USER app\nCMD ["x"]'
    for base, expected in {
        "FROM node:22-slim": "skip",
        "FROM company/python": "skip",
        "FROM docker.io/library/python:3.13": "fail",
        f'{FROM} AS base\nENTRYPOINT ["x"]\nFROM base': "ok",
    }.items():
        assert status(file(base=base, start=start), "entrypoint-and-cmd") == expected
    # Nothing in this file is not the same as nothing at all.
    assert status(file(base="FROM company/python", start=""), "entrypoint-and-cmd") == "skip"


def test_sources_that_cannot_be_seen():
    """A command, an ONBUILD of the base image or a folder from outside may bring them."""
    for text in (
        file(copy="WORKDIR /app\nRUN git clone https://example.com/shop ."),
        file(copy="RUN curl https://example.com/shop.tar | tar -xC /app"),
        file(base="FROM company/python-onbuild", copy=""),
        file(base="FROM company/python", copy="COPY . ."),
        f"ARG PLACE\n{file(copy='ARG PLACE' + chr(10) + 'COPY . $PLACE')}",
    ):
        assert status(text, "sources-in-app") == "skip"


@pytest.mark.parametrize(
    ("base", "official", "slim"),
    [
        ("python:3.13-slim", "ok", "ok"),
        ("python:3.13", "ok", "warn"),
        ("python", "ok", "warn"),
        ("python:3.13-slim@sha256:abc", "ok", "ok"),
        ("python@sha256:abc", "ok", "skip"),
        ("docker.io/library/node:22-alpine", "ok", "ok"),
        ("public.ecr.aws/docker/library/golang:1.25", "ok", "warn"),
        ("mirror.gcr.io/library/rust:slim", "ok", "ok"),
        ("registry.example:5000/proxy/library/python:3-slim", "ok", "ok"),
        ("debian:13-slim", "warn", "ok"),
        ("scratch", "warn", "ok"),
        ("gcr.io/distroless/python3", "warn", "ok"),
        ("company/python:3.13-slim", "warn", "ok"),
        ("$BASE", "skip", "skip"),
    ],
)
def test_base_image(base, official, slim):
    """The name tells an official image, and the tag a slim one."""
    results = judge(file(base=f"FROM {base}"))
    assert results["official-base"].status == official
    assert results["slim-base"].status == slim


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        ("COPY . /app\nRUN pip install -r /app/requirements.txt", "warn"),
        ("COPY . /app\nRUN pip install -r requirements.txt", "warn"),
        ("COPY . /app\nRUN apt-get update && apt-get -y install git", "warn"),
        ("COPY ./ /app\nRUN npm ci --omit=dev", "warn"),
        ("COPY requirements.txt /app/\nRUN pip install -r requirements.txt\nCOPY . /app", "ok"),
        ("COPY . /app\nRUN pip install --no-deps .", "ok"),
        ("COPY . /app\nRUN pip install '.[prod]'", "ok"),
        ("COPY . /app\nRUN go install ./...", "ok"),
        ("COPY uv.lock /app/\nRUN uv sync --no-install-project\nCOPY . /app\nRUN uv sync", "ok"),
        ("COPY . /app\nRUN uv sync --locked", "warn"),
        ("COPY --from=build . /app\nRUN apk add git", "ok"),
        ("COPY . /app\nRUN <<EOF\nuv pip install -r requirements.txt\nEOF", "warn"),
    ],
)
def test_order(copy, expected):
    """Dependencies that are installed after the sources are installed again at each change."""
    assert status(file(copy=copy), "cacheable-order") == expected


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        ("COPY . /app", "ok"),
        ("COPY --chown=app:app . /app", "warn"),
        ("COPY --chown=10001 . /app", "warn"),
        ("COPY --chown=root:app . /app", "ok"),
        ("COPY . /app\nRUN chown -R app:app /app", "warn"),
        ("COPY . /app\nRUN mkdir /app/media && chown app /app/media", "ok"),
    ],
)
def test_owner(copy, expected):
    """Who can write to the code that it runs is warned; a folder for data is its own."""
    assert status(file(copy=copy), "sources-are-read-only") == expected


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ('ENTRYPOINT ["x"]\nCMD ["y"]', "ok"),
        ("ENTRYPOINT x\nCMD y", "warn"),
        ('ENTRYPOINT ["x"]\nCMD y', "warn"),
        ('ENTRYPOINT exec x\nCMD ["y"]', "ok"),
        ("ENTRYPOINT ['x']\nCMD [\"y\"]", "warn"),
    ],
)
def test_form_of_the_commands(start, expected):
    """A shell in front of the service keeps the signals to itself."""
    assert status(file(start=start), "exec-form") == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ENV PORT=8000", "ok"),
        ("ENV PORT=80", "warn"),
        ("EXPOSE 8000/tcp 9000", "ok"),
        ("EXPOSE 5000", "warn"),
        ("ARG P\nEXPOSE $P", "skip"),
    ],
)
def test_port(line, expected):
    """8000 is recommended; where nothing is said, nothing can be seen."""
    assert status(f"{RIGHT}\n{line}", "default-port") == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ENV SECRET_KEY=abc", "warn"),
        ("ENV DB_PASSWORD abc", "warn"),
        ("ENV SECRET_KEY= OTHER=1", "ok"),
        ("ENV SECRET_KEY_FILE=/run/secrets/key TOKENIZERS_PARALLELISM=1", "ok"),
        ("RUN SECRET_KEY=build python manage.py collectstatic", "ok"),
    ],
)
def test_secrets(line, expected):
    """A secret in ENV is in every copy of the image; the path of one is none."""
    assert status(f"{RIGHT}\n{line}", "no-secrets") == expected
