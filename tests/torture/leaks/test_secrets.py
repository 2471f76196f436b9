"""The search finds what it is to find, in every form."""

import base64
import json
from urllib.parse import quote

import pytest

from tests.torture.figures import Figures
from tests.torture.leaks.secrets import Secrets

FORMS = {
    "as it is": lambda text: f"x{text}x",
    "in capitals": str.upper,
    "of JSON": lambda text: json.dumps({"a": [text]}),
    "of a URL": lambda text: quote(text, safe=""),
    "all percent-encoded": lambda text: "".join(f"%{ord(letter):02X}" for letter in text),
    "hex": lambda text: text.encode().hex(),
    "Base64": lambda text: base64.b64encode(f"a:{text}".encode()).decode(),
    "Base64, later": lambda text: base64.b64encode(f"ab:{text}".encode()).decode(),
    "Base64, latest": lambda text: base64.b64encode(f"abc:{text}".encode()).decode(),
    "over lines": "\n    ".join,
    "over written lines": "\\n".join,
    "cut": lambda text: text[: len(text) // 2],
    "cut off": lambda text: text[-len(text) // 2 :],
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("joint", ["", "@/'\"\\ %"])
def test_search(form: str, joint: str) -> None:
    """A planted secret is found, and said to come from its place; no other is."""
    secrets = Secrets()
    planted = secrets.plant("here", joint)
    secrets.plant("there", joint)
    secrets.search("answer", f"password={FORMS[form](planted)}")
    assert secrets.leaks == {("answer", "here")}
    with pytest.raises(AssertionError, match="here"):
        secrets.assert_kept()


def test_what_is_not_run_does_not_count() -> None:
    """A secret that was planted for nothing is none."""
    secrets = Secrets()
    used, _ = secrets.plant("used"), secrets.plant("unused")
    secrets.keep_only("a", f"b {used}")
    secrets.note(Figures(noted := []), "case")
    assert any('"secrets", "1"' in str(value) for _, value in noted)


def test_control() -> None:
    """A search that finds no control is none."""
    secrets = Secrets()
    control = secrets.control("control")
    secrets.search("answer", control)
    secrets.search("page", "nothing")
    secrets.assert_kept("answer")
    with pytest.raises(AssertionError):
        secrets.assert_kept("answer", "page")
