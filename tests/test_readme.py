"""A project that is wired by the README alone works."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import ROOT, blocks_in
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
        self.env = Project(folder, environ={"DJANGO_SETTINGS_MODULE": "shop.settings"}).env()
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
            assert http.request(address, path="/__heartbeat__").json()["status"] == "ok"
            assert http.request(address, path="/nothing/").status == 404
            line = server.wait_for_line(r".*request\.summary.*", stream="stdout")[0]
    assert says_404(line, is_json=deploy), line


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
