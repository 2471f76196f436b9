"""Check the links of the built documentation: ``python docs/check_links.py docs/_build/html``.

Each internal link, anchor and picture has to be there, and each picture has a text alternative.
Nothing is asked over the network: an external address has to be well formed, and no more.
"""

import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

_ADDRESSES = {"a": "href", "img": "src", "link": "href", "script": "src", "source": "src"}
_EXTERNAL = {"http", "https"}


class Page(HTMLParser):
    """What a page links to, the anchors that it has, and the pictures without words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.speechless: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of one element."""
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if _ADDRESSES.get(tag) in values:
            self.links.append(values[_ADDRESSES[tag]])
        if tag == "img" and not values.get("alt", "").strip():
            self.speechless.append(values.get("src", ""))


def faults_in(site: Path) -> Iterator[str]:
    """Yield one line for each thing that is wrong, with the page that it is on."""
    _read.cache_clear()
    for path in sorted(site.rglob("*.html")):
        page, name = _read(path), path.relative_to(site)
        yield from (f"{name}: no text alternative: {source}" for source in page.speechless)
        for link in page.links:
            fault = _fault_of(link, path, site)
            if fault:
                yield f"{name}: {fault}: {link}"


def _fault_of(link: str, path: Path, site: Path) -> str:
    try:
        address = urlsplit(link)
    except ValueError:
        return "not an address"
    if address.scheme or address.netloc:
        return "" if _is_well_formed(address) else "not an address"
    return _fault_inside(address, path, site)


def _is_well_formed(address: SplitResult) -> bool:
    host = address.hostname or ""
    is_web = address.scheme in _EXTERNAL and ("." in host or host == "localhost")
    return is_web or address.scheme == "mailto"


def _fault_inside(address: SplitResult, path: Path, site: Path) -> str:
    target = path.parent / unquote(address.path) if address.path else path
    target = target / "index.html" if target.is_dir() else target
    if not (target.is_file() and target.resolve().is_relative_to(site.resolve())):
        return "no such file"
    is_anchored = address.fragment and target.suffix == ".html"
    if is_anchored and unquote(address.fragment) not in _read(target.resolve()).anchors:
        return "no such anchor"
    return ""


@cache
def _read(path: Path) -> Page:
    return Page(path.read_text("utf-8"))


def main(folder: str) -> int:
    """Print what is wrong; return 1 if anything is, or if there is no page."""
    site = Path(folder)
    pages = len(list(site.rglob("*.html")))
    faults = list(faults_in(site))
    print(*faults, f"{pages} pages, {len(faults)} faults", sep="\n")
    return int(bool(faults) or not pages)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
