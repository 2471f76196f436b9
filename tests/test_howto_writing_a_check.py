"""The complete example of `docs/howto/writing-a-check.rst`: an app that registers its check."""

import pytest

from tests.documents import ROOT, blocks_in
from tests.harness.project import Project, sqlite
from tests.project.settings import INSTALLED_APPS

PAGE = ROOT / "docs/howto/writing-a-check.rst"


@pytest.fixture
def shop(tmp_path, migrated_sqlite):
    """Give a project that has the page's files, and no settings for the check."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/__init__.py").touch()
    for block in blocks_in(PAGE):
        if block.caption:
            (tmp_path / block.caption).write_text(block.text)
    project = Project(tmp_path).with_databases(default=sqlite(migrated_sqlite))
    return project.with_settings(
        INSTALLED_APPS=[*INSTALLED_APPS, "shop"], DOCKERFLOW_CHECK_TIMEOUT=30
    )


def test_the_check_is_there(shop):
    """`AppConfig.ready` registers it, and the command of the page names it for its probe."""
    done = shop.manage("dockerflow")
    of_readiness = done.stdout.partition("Checks of readiness")[2].partition("Checks of startup")[0]
    assert "shop.health.check_stock" in of_readiness


@pytest.mark.long
def test_the_check_decides(shop):
    """Readiness passes, and fails with the message when the warehouse is closed."""
    assert shop.manage("heartbeat", "--probe", "readiness").returncode == 0
    path = shop.folder / "shop/health.py"
    path.write_text(path.read_text().replace("return True", "return False"))
    done = shop.manage("heartbeat", "--probe", "readiness")
    assert (done.returncode, "shop.E001: The warehouse is closed." in done.stdout) == (1, True)
