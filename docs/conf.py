"""Sphinx's configuration."""

import tomllib
from pathlib import Path

_pyproject = Path(__file__).parents[1] / "pyproject.toml"
_project = tomllib.loads(_pyproject.read_text())["project"]

project = "dockerflow_django"
author = "The dockerflow_django contributors"
project_copyright = "2026, the dockerflow_django contributors"
version = release = _project["version"]

extensions = ["sphinx.ext.autodoc"]
autodoc_typehints = "none"
exclude_patterns = ["_build"]
nitpicky = False
html_theme = "furo"
html_title = f"dockerflow_django {release}"
suppress_warnings = ["epub.unknown_project_files"]
