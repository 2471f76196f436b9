"""``dockerflow leftovers``: what is found in files, where `manage.py check` cannot begin."""

import pytest

from dockerflow_django.__main__ import main

SETTINGS = """
INSTALLED_APPS = ["dockerflow.django"]
LOGGING = {"formatters": {"json": {"()": "dockerflow.logging.JsonLogFormatter"}}}
SILENCED_SYSTEM_CHECKS = ["dockerflow.health.W001"]
"""


@pytest.fixture
def found(tmp_path, monkeypatch, capsys):
    """Give a function that writes files, and returns the exit status and the lines."""
    monkeypatch.chdir(tmp_path)

    def find(*paths, **files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        status = main(["leftovers", *paths])
        return status, capsys.readouterr().out.splitlines()

    return find


def test_what_stops_the_settings_is_found(found):
    """An app and a formatter of python-dockerflow are tracebacks in every command of Django's."""
    status, lines = found(shop__settings_dot_py=SETTINGS)
    assert status == 1
    old = "dockerflow.logging.JsonLogFormatter -> dockerflow_django.logging.JsonLogFormatter"
    assert lines == [
        "shop/settings.py:2: dockerflow.django -> dockerflow_django",
        f"shop/settings.py:3: {old}",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("from dockerflow import health", "from dockerflow import health -> from dockerflow_dj"),
        ("\n\nimport dockerflow.version", "dockerflow.version -> dockerflow_django.version"),
        ("DockerflowMiddleware.viewpatterns", "viewpatterns -> the URLconf: "),
        ("def _build_extra_meta(self): ...", "_build_extra_meta -> DOCKERFLOW_SUMMARY_EXTRA"),
        ("get_or_generate_request_id({})", "-> dockerflow_django.context.current_rid"),
    ],
)
def test_code_is_looked_at(found, text, line):
    """Names that are gone are told with what takes their place."""
    status, lines = found(shop_dot_py=text)
    assert status == 1
    assert line in lines[0]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("alerts_dot_yml", "- id: dockerflow_django.health.E001", "-> dockerflow.health.E001"),
        ("ci_dot_ini", "check = dockerflow.django.checks.x", "-> dockerflow_django.checks.x"),
        ("a_dot_txt", "django\ndockerflow==2026.1\n", ":2: dockerflow -> dockerflow-django"),
        ("a_dot_toml", '["django", "dockerflow[django]>=2"]', "dockerflow -> dockerflow-django"),
        ("a_dot_in", "dockerflow", "dockerflow -> dockerflow-django"),
    ],
)
def test_other_files_are_looked_at(found, name, text, line):
    """Alerts, files of the build service and requirements name it too."""
    status, lines = found(**{name: text})
    assert (status, len(lines)) == (1, 1)
    assert line in lines[0]


def test_what_is_right_is_left_alone(found):
    """Ids of messages, the package itself, and a project of that name."""
    status, lines = found(
        alerts_dot_yml="- id: dockerflow.health.E001\n- dockerflow_django.health\n",
        a_dot_txt="dockerflow-django[serve]\n-r dockerflow.txt\n",
        shop_dot_py="import dockerflow_django\nfrom dockerflow.shop import x\n",
    )
    assert (status, lines) == (0, ["Nothing is left of python-dockerflow in 3 files."])


def test_what_is_not_the_project_s_is_not_looked_at(found, tmp_path):
    """Environments, caches, large and unknown files would hide what matters."""
    old = "dockerflow.django"
    (tmp_path / "large.py").write_text(f"# {old}\n" * 100_000)
    status, lines = found(
        env__pyvenv_dot_cfg="home = /usr",
        env__lib_dot_py=old,
        node_modules__x_dot_py=old,
        notes_dot_bin=old,
    )
    assert (status, lines) == (0, ["Nothing is left of python-dockerflow in 0 files."])


def test_one_file_may_be_named(found):
    """Whatever it is called."""
    assert found("notes", notes="see dockerflow.version.get_version\n")[0] == 1


def test_a_path_that_is_not_there(found, capsys):
    """Is a wrong argument: one line and 2."""
    assert main(["leftovers", "nowhere"]) == 2
    assert capsys.readouterr().err == "dockerflow leftovers: nowhere: no such file or folder\n"
    assert main(["leftovers", "x" * 300]) == 2
    assert capsys.readouterr().err.endswith("x: no such file or folder\n")


def test_a_folder_that_may_not_be_looked_into(found, tmp_path):
    """Is passed over: here one in which no file can have a path that is short enough."""
    folder = tmp_path
    while (left := 4090 - len(str(folder))) > 0:
        folder /= "x" * min(left, 200)
        folder.mkdir()
    status, lines = found(str(tmp_path), shop_dot_py="import dockerflow.version")
    assert (status, len(lines)) == (1, 1)


def test_a_file_that_cannot_be_read(found, tmp_path, monkeypatch, capsys):
    """Is said, and the others are looked at."""
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere")
    (tmp_path / "text.py").mkdir()
    monkeypatch.setattr("pathlib.Path.read_text", _refuse)
    (tmp_path / "closed.py").write_text("")
    assert main(["leftovers"]) == 0
    assert capsys.readouterr().err == "closed.py: Permission denied\n"


def _refuse(path, *args, **kwargs):
    raise PermissionError(13, "Permission denied")
