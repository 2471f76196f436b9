"""A project that is wired by the README alone works."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from docutils import nodes

from tests.documents import DOCUMENTS, ROOT, blocks_in, read
from tests.facts import PROJECT
from tests.harness import http
from tests.harness.ports import LOOPBACK, Port
from tests.harness.processes import Process
from tests.harness.project import Project
from tests.harness.waiting import wait_until
from tests.logging.lines import parse

README = ROOT / "README.rst"
VERSION = {"source": "https://code.example/shop", "version": "1", "commit": "c0ffee", "build": ""}
PRODUCTION = f"\nDEBUG = False\nALLOWED_HOSTS = [{LOOPBACK!r}]\n"


def wiring():
    """Return the names that the README's blocks assign, each with its block."""
    lines = README.read_text("utf-8").splitlines()
    begin, end = lines.index(".. begin wiring"), lines.index(".. end wiring")
    texts = [block.text for block in blocks_in(README) if begin < block.line - 1 < end]
    return {_target(text): text for text in texts}


def _target(text):
    return ast.unparse(ast.parse(text).body[-1].targets[0])


def added(target, block):
    """Return the block with what was there before in place of its ``# ...``."""
    return "\n" + block.replace("# ...", f"*{target},") + "\n"


class Shop:
    """What ``django-admin startproject shop`` makes, wired."""

    def __init__(self, folder):
        environ = {"DJANGO_SETTINGS_MODULE": "shop.settings", "DOCKERFLOW_CHECK_TIMEOUT": "30"}
        self.env = Project(folder, environ=environ).env()
        self.folder = folder
        self.run("-m", "django", "startproject", "shop", str(folder), DJANGO_SETTINGS_MODULE="")
        for target, block in wiring().items():
            self.append("urls" if target == "urlpatterns" else "settings", added(target, block))
        (folder / "version.json").write_text(json.dumps(VERSION))

    def append(self, module, text):
        with Path(self.folder, "shop", f"{module}.py").open("a") as file:
            file.write(text)

    def run(self, *arguments, **environ):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.env | environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def test_wiring_is_what_the_steps_name():
    """The marked region holds the app, the middleware, the URLs and the log line, and no more."""
    assert list(wiring()) == ["INSTALLED_APPS", "MIDDLEWARE", "urlpatterns", "LOGGING"]


def test_commands_for_developers():
    """One line each, from a fresh checkout: the tour first, then the tests."""
    shown = [block.text for block in blocks_in(README) if "nox" in block.text]
    begin = 'python3 -m venv .venv && .venv/bin/pip install "nox[uv]" && .venv/bin/nox -s '
    assert shown == [f"{begin}demo", f"{begin}tests"]


def test_links():
    """Each leads into the documentation, to a page or a picture of it, or to the repository."""
    urls = PROJECT["urls"]
    pictures = read(ROOT / "docs" / "index.rst").findall(nodes.image)
    known = {
        *urls.values(),
        *(urls["Documentation"] + f"_images/{Path(each['uri']).name}" for each in pictures),
        *(urls["Documentation"] + page_of(path) for path in DOCUMENTS[1:]),
    }
    text = README.read_text("utf-8")
    links = set(re.findall(r"https://[^>\s]+", text))
    assert links <= known, links - known
    assert urls["Documentation"] in links


def page_of(path):
    return path.relative_to(ROOT / "docs").with_suffix(".html").as_posix()


@pytest.mark.long
@pytest.mark.parametrize("deploy", [False, True], ids=["development", "production"])
def test_wired_project_is_served(shop, deploy):
    """Its three endpoints answer, nothing is out of order, and a request leaves its line."""
    if deploy:
        shop.append("settings", PRODUCTION)
    assert "no issues" in shop.run("manage.py", "check").stdout
    shop.run("manage.py", "migrate", "--verbosity=0")
    with Port() as port:
        command = ["manage.py", "runserver", "--noreload", f"{LOOPBACK}:{port.number}"]
        with Process([sys.executable, *command], env=shop.env, cwd=shop.folder) as server:
            address = (LOOPBACK, port.number)
            wait_until(lambda: answers(address), timeout=30, what="runserver answers")
            assert http.request(address, path="/__lbheartbeat__").status == 200
            assert http.request(address, path="/__version__").json() == VERSION
            heartbeat = http.request(address, path="/__heartbeat__")
            assert heartbeat.json() == ({"status": "ok"} if deploy else green_answer())
            assert http.request(address, path="/__heartbeat__/readiness").status == 200
            assert http.request(address, path="/nothing/").status == 404
            line = server.wait_for_line(r".*request\.summary.*", stream="stdout")[0]
    assert says_404(line, is_json=deploy), line


def green_answer():
    (block,) = (block for block in blocks_in(README) if block.language == "json")
    return json.loads(block.text)


def answers(address):
    try:
        return http.request(address, path="/__lbheartbeat__").status == 200
    except ConnectionError:
        return False


def says_404(line, *, is_json):
    if is_json:
        fields = parse(line)["Fields"]
        return (fields["path"], fields["code"]) == ("/nothing/", 404)
    return re.search(r" INFO +request\.summary .*GET /nothing/ 404", line)
