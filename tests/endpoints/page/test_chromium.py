"""The page in a real browser."""

import html
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.test import Client

from tests.endpoints.page.conftest import BROWSER
from tests.endpoints.page.states import STATES
from tests.harness.chromium import corner_of, left_open, take_picture, visit
from tests.harness.waiting import wait_until


@pytest.fixture
def query() -> str:
    """Return the query for which the page is made."""
    return ""


@pytest.fixture
def page(client: Client, shown: None, query: str) -> Iterator[tuple[str, list[str]]]:
    """Serve the page with its headers; give its URL and the list of the paths asked for."""
    response = client.get(f"/__heartbeat__{query}", headers=BROWSER)
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            is_page = self.path == "/__heartbeat__"
            self.send_response(200 if is_page else 404)
            for name, value in response.headers.items() if is_page else ():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.content if is_page else b"")

        def log_message(self, *arguments):
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/__heartbeat__", asked
        server.shutdown()
        thread.join()


def test_browser_has_nothing_to_complain_of(page: tuple[str, list[str]]):
    """No violation of the policy, no error, no request but for the page and the browser's icon."""
    url, asked = page
    seen = visit(url)
    assert "check_<wbr>mail" in seen.dom
    assert seen.console == []
    assert set(asked) <= {"/__heartbeat__", "/favicon.ico"}


@pytest.mark.long
@pytest.mark.parametrize("query", ["?refresh=5"])
def test_page_asks_again_by_itself(page: tuple[str, list[str]]):
    """The browser does what the query asks for, and the policy lets it."""
    url, asked = page
    with left_open(url):
        wait_until(lambda: asked.count("/__heartbeat__") > 1, timeout=30)


@pytest.mark.long
def test_colours_are_the_readers(page: tuple[str, list[str]], tmp_path: Path):
    """The policy lets the style through, and the style follows light and dark."""
    url, _ = page
    for dark, corner in ((False, (0xFF, 0xFF, 0xFF)), (True, (0x0D, 0x11, 0x17))):
        take_picture(url, tmp_path / "page.png", width=800, height=600, dark=dark)
        assert corner_of(tmp_path / "page.png") == corner


@pytest.mark.long
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", STATES)
def test_nothing_is_wider_than_the_screen(client: Client, tmp_path: Path, name: str, dark: bool):
    """Whatever the checks say, no element ends outside of the window, and none hides its text.

    On a phone nothing is to be scrolled sideways (WCAG 2.2, 1.4.10).
    """
    with STATES[name].entered():
        text = client.get("/__heartbeat__", headers=BROWSER).content.decode()
    frames = "".join(FRAME % (width, html.escape(text)) for width in WIDTHS)
    (tmp_path / "frames.html").write_text(f"<!doctype html><title>none</title>{frames}{MEASURE}")
    dom = visit((tmp_path / "frames.html").as_uri(), dark=dark).dom
    measured = json.loads(html.unescape(dom.partition("<title>")[2].partition("</title>")[0]))
    assert [each["width"] for each in measured] == list(WIDTHS)
    assert [each["ground"] for each in measured] == [GROUNDS[dark]] * len(WIDTHS)
    assert [each["outside"] for each in measured] == [[]] * len(WIDTHS)


WIDTHS = (320, 390, 820, 1300)
GROUNDS = ("rgb(255, 255, 255)", "rgb(13, 17, 23)")
FRAME = '<iframe width="%d" height="600" style="border: 0" srcdoc="%s"></iframe>'
MEASURE = """<script>
const isOutside = (element, width) => {
  const box = element.getBoundingClientRect();
  return box.left < -0.5 || box.right > width + 0.5 || element.scrollWidth > width;
};
const measure = (frame) => {
  const root = frame.contentDocument.documentElement;
  for (const folded of root.querySelectorAll("details")) folded.open = true;
  const elements = [root, ...frame.contentDocument.body.querySelectorAll(":not(symbol *)")];
  return {
    width: frame.clientWidth,
    ground: frame.contentWindow.getComputedStyle(frame.contentDocument.body).backgroundColor,
    outside: elements
      .filter((element) => isOutside(element, root.clientWidth))
      .map((element) => element.outerHTML.slice(0, 80)),
  };
};
window.onload = () => {
  const frames = [...document.querySelectorAll("iframe")];
  document.title = JSON.stringify(frames.map(measure));
};
</script>
"""
