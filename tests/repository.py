"""A real git repository with one commit, made for a test."""

import os
import subprocess

from tests.programs import need


class Repository:
    """A folder under git; `run` returns what git prints."""

    def __init__(self, folder):
        self.folder = folder
        self.run("init", "--quiet")
        self.run("commit", "--quiet", "--allow-empty", "--message", "First")
        self.commit = self.run("rev-parse", "HEAD")

    def run(self, *arguments):
        done = subprocess.run(
            [need("git"), *arguments],
            cwd=self.folder,
            # Nothing of this machine's configuration, and nobody's name.
            env={
                "PATH": os.environ["PATH"],
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_AUTHOR_NAME": "Nobody",
                "GIT_AUTHOR_EMAIL": "nobody@example.org",
                "GIT_COMMITTER_NAME": "Nobody",
                "GIT_COMMITTER_EMAIL": "nobody@example.org",
            },
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        return done.stdout.strip()
