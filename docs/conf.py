"""Sphinx's configuration."""

import tomllib
from pathlib import Path

_pyproject = Path(__file__).parents[1] / "pyproject.toml"
_project = tomllib.loads(_pyproject.read_text())["project"]

project = "dockerflow_django"
author = "The dockerflow_django contributors"
project_copyright = "2026, the dockerflow_django contributors"
version = release = _project["version"]

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary"]
autodoc_typehints = "none"
autodoc_member_order = "bysource"
# The tables link to entries; they make no pages of their own.
autosummary_generate = False
# What docstrings write in single backticks is code.
default_role = "code"
exclude_patterns = ["_build"]
nitpicky = False
html_theme = "furo"
html_title = f"dockerflow_django {release}"
suppress_warnings = ["epub.unknown_project_files"]
