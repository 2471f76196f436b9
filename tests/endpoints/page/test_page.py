"""What a browser gets at ``/__heartbeat__``."""

import re
from html.parser import HTMLParser
from importlib import resources

import pytest
from django.core import checks
from django.test import AsyncClient, Client, override_settings

from dockerflow_django import lifecycle
from dockerflow_django.endpoints import page
from tests.endpoints.page.conftest import BROWSER
from tests.endpoints.page.states import HOSTILE, LONG, check_of

PATH = "/__heartbeat__"
STYLE = resources.files(page).joinpath("style.css").read_text()


class Outline(HTMLParser):
    """The elements of a page with their attributes, and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.usefixtures("shown")
def test_browser_gets_a_page_with_the_status_of_the_json(client: Client):
    """The page fails as the JSON does; a client that is no browser still gets that."""
    response = client.get(PATH, headers=BROWSER)
    assert response.status_code == 500
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert client.get(PATH, headers={"accept": "*/*"}).json()["status"] == "error"


@pytest.mark.usefixtures("shown")
async def test_async(async_client: AsyncClient):
    """Under ASGI the page is the same."""
    response = await async_client.get(PATH, headers=BROWSER)
    assert "check_mail" in Outline(response.content.decode()).text


@pytest.mark.usefixtures("shown")
def test_head_has_the_headers_alone(client: Client):
    """HEAD tells how long the page is."""
    response = client.head(PATH, headers=BROWSER)
    assert response.content == b""
    assert int(response.headers["Content-Length"]) > 1000


@pytest.mark.usefixtures("shown")
def test_other_methods_are_refused(client: Client):
    """A form that posts is answered as any other client."""
    assert client.post(PATH, headers=BROWSER).status_code == 405


@pytest.mark.parametrize("details", ["never", "debug", "tests.endpoints.page.test_page.nobody"])
def test_details_are_for_those_who_may_see_them(client: Client, details: str):
    """A browser that may not see them gets the JSON without."""
    with override_settings(DOCKERFLOW_CHECKS=HOSTILE, DOCKERFLOW_HEARTBEAT_DETAILS=details):
        response = client.get(PATH, headers=BROWSER)
        assert response.json() == {"status": "error"}


def nobody(request):
    return False


def test_allowed_may_look_at_the_user(client: Client, db, django_user_model):
    """The page comes after session and authentication, so whoever decides sees the user."""
    user = django_user_model.objects.create_user("ada", is_staff=True)

    def allowed(request):
        return request.user.is_staff

    with override_settings(DOCKERFLOW_CHECKS=[], DOCKERFLOW_HEARTBEAT_DETAILS=allowed):
        assert client.get(PATH, headers=BROWSER).json()
        client.force_login(user)
        assert b"<h1" in client.get(PATH, headers=BROWSER).content


@pytest.mark.usefixtures("shown")
def test_nothing_of_a_check_is_markup(client: Client):
    """Names, messages and versions are text, whatever they hold."""
    body = client.get(PATH, headers=BROWSER).content.decode()
    outline = Outline(body)
    assert outline.all("script") == []
    assert "<script>alert(1)</script>" in outline.text
    assert "</td><script>alert(2)</script>" in outline.text
    assert [a["href"] for a in outline.all("a")] == ["", "?refresh=10"]
    assert not re.search(r"\bon\w+=|\bsrc=|style=|https?://", body)


def test_text_that_no_encoding_carries_is_escaped(client: Client):
    """The name of a file in a message may hold half a character; so may a reason."""
    odd = checks.Error("caf\udce9 is old", hint="Remove caf\udce9", id="shop.E001")
    listed = [check_of("check_files", odd)]
    with override_settings(
        DOCKERFLOW_CHECKS=listed,
        DOCKERFLOW_PROBES={"readiness": []},
        DOCKERFLOW_HEARTBEAT_DETAILS="always",
    ):
        lifecycle.set_ready(False, "caf\udce9 is closed")
        response = client.get(PATH, headers=BROWSER)
    body = Outline(response.content.decode()).text
    assert response.status_code == 500
    for text in ("is old", "is closed"):
        assert rf"caf\udce9 {text}" in body
    assert r"Remove caf\udce9" in body


@pytest.mark.usefixtures("shown")
def test_policy_allows_this_style_and_nothing_else(client: Client):
    """Each answer has a nonce of its own, which the one style element bears."""
    nonces = set()
    for _ in range(2):
        response = client.get(PATH, headers=BROWSER)
        policy = response.headers["Content-Security-Policy"]
        (style,) = Outline(response.content.decode()).all("style")
        assert policy.startswith(f"default-src 'none'; style-src 'nonce-{style['nonce']}'; ")
        nonces.add(style["nonce"])
    assert len(nonces) == 2


@pytest.mark.usefixtures("shown")
def test_long_texts_are_cut(client: Client):
    """A message of 100 kB and 200 messages leave a page that can be read."""
    body = client.get(PATH, headers=BROWSER).content.decode()
    assert len(body) < 30_000
    assert f"({len(LONG) - 1000} more characters in the JSON)" in body
    assert "and 190 more" in body


@pytest.mark.usefixtures("shown")
def test_passing_checks_are_folded_beside_others(client: Client):
    """What fails and what has a message is in sight; the rest is there on demand."""
    body = client.get(PATH, headers=BROWSER).content.decode().replace("<wbr>", "")
    shown, _, folded = body.partition("<details>")
    assert "check_stories" in shown
    assert "check_many" in shown
    assert "check_mail" not in shown
    assert "check_mail" in folded


@pytest.mark.usefixtures("shown")
def test_states_differ_in_more_than_colour(client: Client):
    """Each level has a sign of its own beside its word (WCAG 2.2, 1.4.1)."""
    body = client.get(PATH, headers=BROWSER).content.decode()
    signs = dict(re.findall(r'<use href="#(\w+)"/></svg>(\w+)</td>', body))
    assert signs == {"cross": "error", "triangle": "warning", "letter": "info", "tick": "ok"}
    assert set(signs) <= set(re.findall(r'<symbol id="(\w+)"', body))


def test_version_that_is_not_there_is_a_sentence(client: Client):
    """There is no table of one line for it."""
    nothing = {"DOCKERFLOW_CHECKS": [], "DOCKERFLOW_HEARTBEAT_DETAILS": "always"}
    with override_settings(**nothing, DOCKERFLOW_VERSION_CALLBACK=lambda root: None):
        assert b"<p>There is no version.json.</p>" in client.get(PATH, headers=BROWSER).content


def test_two_hundred_checks(client: Client):
    """Those that fail come first, whatever their level."""
    many = [check_of(f"check_{n}") for n in range(199)]
    last = check_of("check_last", checks.Error("it is down"))
    with override_settings(DOCKERFLOW_CHECKS=[*many, last], DOCKERFLOW_HEARTBEAT_DETAILS="always"):
        body = client.get(PATH, headers=BROWSER).content.decode().replace("<wbr>", "")
    assert "1 of 200 checks fails" in body
    assert body.index("check_last") < body.index("check_0\n")


def test_all_is_well(client: Client):
    """The page says so, shows the checks unfolded, and says it if there is none."""
    well = [check_of("check_mail")]
    allowed = {"DOCKERFLOW_HEARTBEAT_DETAILS": "always", "DOCKERFLOW_PROBES": {"readiness": well}}
    with override_settings(DOCKERFLOW_CHECKS=well, **allowed):
        response = client.get(PATH, headers=BROWSER)
    assert response.status_code == 200
    assert "<details open>" in response.content.decode()
    assert "The only check passes" in response.content.decode()
    with override_settings(DOCKERFLOW_CHECKS=[], DOCKERFLOW_HEARTBEAT_DETAILS="always"):
        assert "No check is configured" in client.get(PATH, headers=BROWSER).content.decode()


def test_informations_are_no_failures(client: Client):
    """The title counts what fails; information comes behind it, and a hint below its message."""
    listed = [
        check_of("check_info", checks.Info("by the way")),
        check_of("check_database_connected", checks.Warning("slow", hint="Look at <the log>.")),
    ]
    with override_settings(
        DOCKERFLOW_CHECKS=listed,
        DOCKERFLOW_PROBES={"readiness": []},
        DOCKERFLOW_HEARTBEAT_DETAILS="always",
    ):
        body = client.get(PATH, headers=BROWSER).content.decode()
    text = " ".join(Outline(body).text.split())
    assert "1 of 2 checks fails" in text
    assert "slowHint: Look at <the log>." in text
    assert text.index("check_database_connected") < text.index("check_info")
    assert "check_<wbr>database_<wbr>connected" in body
    assert text.index("liveness") < text.index("check_database_connected")


@pytest.mark.usefixtures("shown")
def test_probes_and_version_are_shown(client: Client):
    """Each probe with its outcome and what it fails by, and every key of the version."""
    lifecycle.set_ready(False, "maintenance")
    text = " ".join(Outline(client.get(PATH, headers=BROWSER).content.decode()).text.split())
    assert "liveness passes" in text
    assert "readiness fails Set not ready: maintenance.<script>alert(1)</script>" in text
    assert "commit 9f2c4e1" in text


@pytest.mark.parametrize(("fail_level", "status"), [("INFO", "failed"), ("ERROR", "warning")])
def test_probe_that_is_not_ready_is_a_warning(client: Client, fail_level: str, status: str):
    """One that a check fails is not, even if the check's message is an information."""
    listed = (check_of("check_stock", checks.Info("low")), {"fail_level": fail_level})
    with override_settings(
        DOCKERFLOW_CHECKS=[],
        DOCKERFLOW_PROBES={"readiness": [listed], "startup": []},
        DOCKERFLOW_HEARTBEAT_DETAILS="always",
    ):
        lifecycle.set_ready(False, "maintenance")
        outline = Outline(client.get(PATH, headers=BROWSER).content.decode())
    states = [each["class"] for each in outline.all("span") if "state" in str(each.get("class"))]
    assert f"state {status}" in states


@pytest.mark.usefixtures("shown")
def test_structure_is_told_to_those_who_listen(client: Client):
    """One main heading, a language, a name for each table, a scope for each header."""
    outline = Outline(client.get(PATH, headers=BROWSER).content.decode())
    assert outline.all("html") == [{"lang": "en"}]
    assert len(outline.all("h1")) == len(outline.all("main")) == 1
    headings = {heading.get("id") for heading in outline.all("h2")}
    assert {table["aria-labelledby"] for table in outline.all("table")} <= headings
    assert {header["scope"] for header in outline.all("th")} == {"row", "col"}
    assert all(header["role"] in {"rowheader", "columnheader"} for header in outline.all("th"))


@pytest.mark.parametrize("scheme", [0, 1])
def test_contrast_suffices(scheme: int):
    """Each colour of text has a contrast of 4.5 and more on both grounds (WCAG 2.2, 1.4.3)."""
    block = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[scheme]
    colours = dict(re.findall(r"--(\w+): (#\w{6})", block))
    grounds = [colours.pop("paper"), colours.pop("band")]
    del colours["line"]
    assert len(colours) == 7
    for name, colour in colours.items():
        for ground in grounds:
            assert _contrast(colour, ground) >= 4.5, name


def _contrast(one: str, other: str) -> float:
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
