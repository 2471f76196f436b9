"""Whatever the files hold that others may write, each reader answers, and says what is wrong."""

import io
import json
import os
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import override_settings
from hypothesis import strategies as st

from dockerflow_django import healthcheck, testing
from dockerflow_django.client import drain_marker
from dockerflow_django.client.life import boot_id, seconds_since_boot, started_at
from dockerflow_django.conf import Conf, conf
from dockerflow_django.system_checks import TAG
from dockerflow_django.tasks.probe_file import ProbeFile
from tests import handlers
from tests.torture.figures import Figures
from tests.torture.fuzz.budget import fuzz
from tests.torture.fuzz.values import texts, written

Sized = Callable[..., Any]

WELL = [lambda app_configs, **kwargs: []]
BASE = {
    "DOCKERFLOW_CHECKS": WELL,
    # The thread of a check may begin late on a busy machine.
    "DOCKERFLOW_CHECK_TIMEOUT": 30,
    "DOCKERFLOW_HEARTBEAT_DETAILS": "always",
    "DOCKERFLOW_PROBES": {"readiness": WELL},
    "MIDDLEWARE": ["dockerflow_django.middleware.DockerflowMiddleware"],
    "ROOT_URLCONF": "tests.metrics.urls",
}
NUMBERS = st.one_of(
    st.integers(), st.floats(), st.booleans(), st.sampled_from([10**400, -(10**400), 1e308, 0])
)
JSON = st.recursive(
    st.none() | NUMBERS | texts | written,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
RAW = st.binary(max_size=60) | st.sampled_from(
    [b"[" * 50_000, b'{"a": 1e999}', b"\xef\xbb\xbf{}", b"\xff\xfe{}", b'{"a":' * 900, b"1" * 5000]
)


@pytest.fixture(autouse=True)
def _anew() -> Any:
    testing.reset()
    yield
    testing.reset()


def dumped(value: object) -> bytes:
    return json.dumps(value).encode(errors="surrogatepass")


def test_version(sized: Sized, figures: Figures, tmp_path: Path) -> None:
    """``version.json``: the endpoint shows it or says what is wrong; page and metrics go on."""
    keys = st.sampled_from(["source", "version", "commit", "build"])
    objects = st.dictionaries(keys | texts, texts | written | JSON, max_size=5).map(dumped)

    def run(content: bytes) -> None:
        (tmp_path / "version.json").write_bytes(content)
        testing.reset()
        with override_settings(**BASE, BASE_DIR=tmp_path):
            for world in handlers.WORLDS:
                answer = handlers.ask(world, "GET", "/__version__")
                assert answer.status in {200, 500}
                assert isinstance(answer.json, dict)
                page = handlers.ask(world, "GET", "/__heartbeat__", {"accept": "text/html"})
                assert (page.status, b"<html" in page.body) == (200, True)
                assert handlers.ask(world, "GET", "/__metrics__").status == 200
            for message in run_checks(tags=[TAG]):
                str(message).encode()

    examples = fuzz(sized(8, 150), run, content=objects | objects | RAW)
    figures.note("Fuzz", "version.json", **examples)


def test_drain_marker(sized: Sized, figures: Figures, tmp_path: Path) -> None:
    """A drain marker: none of what is not from this life makes the process drain."""
    marker = tmp_path / "draining"
    path = str(marker)
    life = drain_marker._life().encode()
    word = drain_marker.SIGNATURE.encode()
    times = st.one_of(NUMBERS.map(str), texts, written).map(
        lambda text: text.encode(errors="replace")
    )
    lines = st.tuples(
        st.sampled_from([word, word[:-1], b""]), st.sampled_from([life, b"x 1", b""]), times
    ).map(b" ".join)

    def run(content: bytes) -> None:
        marker.unlink(missing_ok=True)
        marker.write_bytes(content)
        since = drain_marker.draining_since(path)
        assert since is None or content.startswith(word + b" " + life)
        with override_settings(**BASE, DOCKERFLOW_DRAIN_PATH=path):
            testing.reset()
            answer = handlers.ask("wsgi", "GET", "/__heartbeat__/readiness")
        assert answer.status == (200 if since is None else 503)

    figures.note("Fuzz", "drain marker", **fuzz(sized(20, 1_000), run, content=lines | RAW))


def test_probe_file(sized: Sized, figures: Figures, tmp_path: Path) -> None:
    """A probe file: ``healthcheck --file`` says one line and exits 0 or 1."""
    file = tmp_path / "probes"
    true = {
        "boot_id": boot_id(),
        "pid": os.getpid(),
        "started": started_at(os.getpid()),
        "valid_for": 3600,
        "probes": dict.fromkeys(("liveness", "readiness", "startup"), "passed"),
    }
    replaced = st.dictionaries(st.sampled_from([*true, "time", "probes.liveness"]), JSON)

    def state(others: dict[str, Any]) -> bytes:
        found = {**true, "time": seconds_since_boot(), **others}
        if "probes.liveness" in others:
            found["probes"] = {"liveness": others["probes.liveness"]}
        return dumped(found)

    def run(content: bytes) -> None:
        file.write_bytes(content)
        said = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        with redirect_stdout(said), redirect_stderr(said):
            code = healthcheck.main(["--file", str(file)])
        assert code in {0, 1}
        said.seek(0)
        (line,) = said.read().splitlines()
        assert str(file) in line
        assert code == 1 or "liveness passed" in line
        ProbeFile(str(file)).owner()

    contents = st.builds(state, replaced) | JSON.map(dumped) | RAW
    figures.note("Fuzz", "probe file", **fuzz(sized(50, 3_000), run, content=contents))


def test_env_file(
    sized: Sized, figures: Figures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ``.env``: what is wrong with it is a message that can be printed, with a hint."""
    for name in Conf.table:
        monkeypatch.delenv(name, raising=False)
    names = st.sampled_from([*Conf.table, "DOCKERFLOW_WEBHOOK_SECRET_FILE"]) | texts.map(
        lambda text: f"DOCKERFLOW_{text}"
    )
    line = st.tuples(names, texts | written).map(
        lambda pair: "=".join(pair).encode(errors="replace")
    )
    lines = st.lists(line | st.binary(max_size=30), max_size=5).map(b"\n".join)

    def run(content: bytes) -> None:
        (tmp_path / ".env").write_bytes(content)
        with override_settings(BASE_DIR=tmp_path, MIDDLEWARE=BASE["MIDDLEWARE"]):
            conf.reset()
            for message in run_checks(tags=[TAG]):
                str(message).encode()
                assert message.hint
            assert handlers.ask("wsgi", "GET", "/plain/").status == 200

    figures.note("Fuzz", ".env", **fuzz(sized(15, 500), run, content=lines | RAW))


def test_names_of_variables(
    sized: Sized, figures: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that looks like a setting is told, however it is written."""

    def run(name: str) -> None:
        with monkeypatch.context() as patch:
            patch.setenv(f"DOCKERFLOW_{name}", "1")
            conf.reset()
            found = [one for one in run_checks(tags=[TAG]) if one.id == "dockerflow.W002"]
        for message in found:
            str(message).encode()
        assert found or f"DOCKERFLOW_{name}" in Conf.table or "_" in name

    names = st.binary(min_size=1, max_size=30).map(
        lambda raw: raw.translate(None, b"\0=").decode(errors="surrogateescape")
    )
    figures.note("Fuzz", "names of variables", **fuzz(sized(15, 500), run, name=names))
