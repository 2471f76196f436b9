"""The check of the built documentation's links finds what is wrong, and nothing else."""

import pytest

from docs.check_links import faults_in, main

OTHER = '<h1 id="top">Top</h1><a name="old">Old</a>'


@pytest.fixture
def site(tmp_path):
    (tmp_path / "howto").mkdir()
    (tmp_path / "howto" / "index.html").write_text(OTHER)
    (tmp_path / "picture.png").touch()
    (tmp_path.parent / "outside.html").touch()
    return tmp_path


def faults(site, page):
    (site / "index.html").write_text(f'<p id="here">{page}</p>')
    return list(faults_in(site))


@pytest.mark.parametrize(
    "page",
    [
        '<a href="#here">',
        '<a href="howto/index.html#top">',
        '<a href="howto/#old">',
        '<a href="picture.png">',
        '<a href="https://example.com/page#anywhere">',
        '<a href="http://localhost:3000">',
        '<a href="mailto:security@example.com">',
        '<img src="picture.png" alt="A picture">',
        '<link href="howto/index.html"><script src="picture.png?v=1"></script>',
    ],
)
def test_good_link(site, page):
    """A file, an anchor of a page, a picture with words, and an external address are fine."""
    assert faults(site, page) == []


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ('<a href="#nowhere">', "no such anchor: #nowhere"),
        ('<a href="howto/index.html#nowhere">', "no such anchor: howto/index.html#nowhere"),
        ('<a href="gone.html">', "no such file: gone.html"),
        ('<a href="../outside.html">', "no such file: ../outside.html"),
        ('<a href="http://[broken">', "not an address: http://[broken"),
        ('<a href="https://nowhere">', "not an address: https://nowhere"),
        ('<a href="file:///etc/motd">', "not an address: file:///etc/motd"),
        ('<img src="gone.png" alt="Gone">', "no such file: gone.png"),
        ('<img src="picture.png">', "no text alternative: picture.png"),
    ],
)
def test_fault(site, page, fault):
    """Each is named once, with its page."""
    assert faults(site, page) == [f"index.html: {fault}"]


def test_exit_code(site, capsys):
    """A fault fails the build, and so does a folder without a page."""
    faults(site, '<a href="#here">')
    assert main(str(site)) == 0
    faults(site, '<a href="gone.html">')
    assert main(str(site)) == 1
    assert "index.html: no such file: gone.html\n2 pages, 1 faults" in capsys.readouterr().out
    (site / "empty").mkdir()
    assert main(str(site / "empty")) == 1
