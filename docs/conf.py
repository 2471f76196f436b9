"""Sphinx's configuration."""

import os
import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

_pyproject = Path(__file__).parents[1] / "pyproject.toml"
_project = tomllib.loads(_pyproject.read_text())["project"]

project = "dockerflow_django"
author = "The dockerflow_django contributors"
project_copyright = "2026, the dockerflow_django contributors"
version = release = _project["version"]

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx_copybutton",
    "figures",
]
autodoc_typehints = "none"
autodoc_member_order = "bysource"
# The tables link to entries; they make no pages of their own.
autosummary_generate = False
# What docstrings write in single backticks is code.
default_role = "code"
exclude_patterns = ["_build", "inventories"]
suppress_warnings = ["epub.unknown_project_files"]

# A name that is nobody's is a warning; Django's and Python's are looked up here, without a network.
nitpicky = True
intersphinx_mapping = {
    "django": ("https://docs.djangoproject.com/en/5.2/", "inventories/django.inv"),
    "python": ("https://docs.python.org/3.11/", "inventories/python.inv"),
}

html_theme = "furo"
html_title = f"dockerflow_django {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_baseurl = os.environ.get("READTHEDOCS_CANONICAL_URL", "")
html_theme_options = {
    "source_repository": _project["urls"]["Repository"],
    "source_branch": "main",
    "source_directory": "docs/",
}
# Neither the prompt nor what a command prints is copied.
copybutton_exclude = ".linenos, .gp, .go"


def setup(app):
    """Know Django's own roles: ``:setting:`DEBUG``` and ``:djadmin:`migrate```."""
    app.add_crossref_type("setting", "setting")
    app.add_object_type("django-admin", "djadmin")
