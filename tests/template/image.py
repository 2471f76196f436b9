"""An image's steps, run one by one in a plain folder: this machine needs no container engine."""

import os
import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path

from dockerflow_django.conformance.dockerfile.syntax import parse
from tests.programs import need

USER = 10001
# Inside the image; the folder stands for its root.
PLACES = ("/app", "/opt/venv")
# A mount of the build; here uv takes this machine's own cache.
CACHE = " --cache-dir /var/cache/uv"
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")


class Image:
    """The stages that lead to the last one, in one folder."""

    def __init__(self, folder, context, environ):
        self.root = folder
        self.context = context
        self.environ = dict(environ)
        self.steps = []
        self.entrypoint = self.command = self.healthcheck = self.user = None

    def build(self):
        """Run each step of every stage but `development`, in the Dockerfile's order."""
        stage = ""
        for step in parse((self.context / "Dockerfile").read_text("utf-8")):
            if step.name == "FROM":
                stage = step.text.split()[-1]
            elif stage not in {"", "development"}:
                getattr(self, f"_{step.name.lower()}")(step)

    def _arg(self, step):
        name, _, value = step.text.partition("=")
        self.environ.setdefault(name, value.strip('"'))

    def _env(self, step):
        for word in step.text.split():
            name, _, value = word.partition("=")
            self.environ[name] = self._expand(self._inside(value))

    def _workdir(self, step):
        Path(self._inside(step.text)).mkdir(parents=True, exist_ok=True)

    def _copy(self, step):
        """Copy from the context; what one stage copies from another is in this folder already."""
        if step.flag("from") is not None:
            return
        *sources, target = step.text.split()
        assert target == "./" or (sources, target) == (["."], ".")
        for source in sources:
            for path in self.context.glob(source) if source != "." else self.context.iterdir():
                self._copy_path(path)

    def _copy_path(self, path):
        patterns = (self.context / ".dockerignore").read_text().splitlines()
        target = self.app / path.name
        if any(fnmatch(path.name, pattern.removeprefix("**/")) for pattern in patterns):
            return
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        else:
            shutil.copy(path, target)

    def _run(self, step):
        if "useradd" in step.text:  # Accounts are the machine's, not a folder's.
            assert f"--uid {USER} " in step.text
            return
        if "apt-get" in step.text:  # And so are its programs.
            return
        self.steps.append(step.text)
        done = self.run(step.text)
        assert done.returncode == 0, done.stderr

    def run(self, step):
        """Run the text of a step, as the shell of a build does."""
        return subprocess.run(
            ["/bin/sh", "-ec", self._inside(step.replace(CACHE, ""))],
            cwd=self.app,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def _entrypoint(self, step):
        self.entrypoint = step.items

    def _cmd(self, step):
        self.command = step.items

    def _healthcheck(self, step):
        self.healthcheck = step.text.removeprefix("CMD ")

    def _user(self, step):
        self.user = step.text

    def _expose(self, step):
        assert step.text == self.environ["PORT"]

    @property
    def app(self):
        return Path(self._inside("/app"))

    def as_user(self, *command):
        """Return a command that runs as the image's user, who may read all and write his own.

        Its Python may lie in a folder that others cannot read; in an image it is everybody's.
        """
        if os.geteuid() != 0:  # pragma: no cover - somebody's own machine
            return command
        only = "-all,+dac_read_search"
        ids = ["--reuid", str(USER), "--regid", str(USER), "--clear-groups"]
        capabilities = ["--bounding-set", only, "--inh-caps", only, "--ambient-caps", only]
        return [need("setpriv"), *ids, *capabilities, *command]

    def _inside(self, text):
        for place in PLACES:
            text = text.replace(place, f"{self.root}{place}")
        return text

    def _expand(self, text):
        return _VARIABLE.sub(lambda found: self.environ.get(found[1], ""), text)
