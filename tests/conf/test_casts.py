"""What each cast takes and refuses."""

import json
import re
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from pathlib import Path

import pytest
from django.core import checks
from django.core.checks.urls import check_url_config

from dockerflow_django.conf import casts, places


def refusal(cast: Callable[[object], object], raw: object) -> str:
    """Return the text with which `cast` refuses `raw`."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is what the tests compare
        cast(raw)
    return str(caught.value)


@pytest.mark.parametrize("raw", [True, 1, "true", "True", " YES ", "on", "1", "t", "y"])
def test_boolean_takes_what_people_write_for_true(raw: object) -> None:
    """Every common word for true is True."""
    assert casts.boolean(raw) is True


@pytest.mark.parametrize("raw", [False, 0, "false", "False", "No", "off", "0", "f", "n"])
def test_boolean_takes_what_people_write_for_false(raw: object) -> None:
    """A word for false is False, never true for being a string that is not empty (H12, P7)."""
    assert casts.boolean(raw) is False


@pytest.mark.parametrize("raw", ["", "maybe", "2", 2, -1, 1.0, None, [], b"true"])
def test_boolean_refuses_what_is_not_one(raw: object) -> None:
    """Nothing is guessed."""
    assert refusal(casts.boolean, raw) == "True or False"


@pytest.mark.parametrize(
    ("raw", "value"),
    [(400, 400), ("503", 503), (" 599 ", 599), (HTTPStatus.IM_A_TEAPOT, 418)],
)
def test_integer_takes_whole_numbers_within_its_bounds(raw: object, value: int) -> None:
    """A number is taken as one or as the text of one, the bounds included."""
    assert casts.integer(400, 599)(raw) == value


@pytest.mark.parametrize("raw", [399, 600, "5e2", 500.0, True, None, "", "many", "9" * 5000, [500]])
def test_integer_refuses_the_rest(raw: object) -> None:
    """A float, a boolean and a number outside of the bounds are no whole number within them."""
    assert refusal(casts.integer(400, 599), raw) == "a whole number from 400 to 599"


@pytest.mark.parametrize(("raw", "value"), [(0, 0.0), (0.5, 0.5), ("0.25", 0.25), ("1e0", 1.0)])
def test_number_takes_finite_numbers_within_its_bounds(raw: object, value: float) -> None:
    """A number is taken as one or as the text of one, the bounds included."""
    assert casts.number(0, 1)(raw) == value


@pytest.mark.parametrize(
    "raw", [-0.1, 1.1, "nan", "inf", float("nan"), True, None, "", "soon", 10**400, [1], b"1"]
)
def test_number_refuses_the_rest(raw: object) -> None:
    """What is not finite is no number that can be waited for."""
    assert refusal(casts.number(0, 1), raw) == "a number from 0 to 1"


def test_number_may_leave_its_lower_bound_out() -> None:
    """A timeout of zero would fail every check."""
    cast = casts.number(0, above=True)
    assert cast("0.001") == 0.001
    assert refusal(cast, 0) == "a number above 0"


@pytest.mark.parametrize("raw", [None, ""])
def test_optional_takes_nothing_for_none(raw: object) -> None:
    """An empty environment variable says as much as none at all."""
    assert casts.optional(casts.text)(raw) is None


def test_optional_says_that_none_would_do() -> None:
    """The refusal names None beside what the inner cast wants."""
    cast = casts.optional(casts.integer(1, 65535))
    assert cast("8080") == 8080
    assert refusal(cast, "http") == "None or a whole number from 1 to 65535"


def test_text_takes_a_string() -> None:
    """A string is itself."""
    assert casts.text("0.0.0.0") == "0.0.0.0"


@pytest.mark.parametrize("raw", ["", None, 5, b"host", "hush\udcff"])
def test_text_refuses_the_rest(raw: object) -> None:
    """Nothing, other types and bytes of another encoding are no text."""
    assert refusal(casts.text, raw) == "a string that is not empty, in UTF-8"


@pytest.mark.parametrize("raw", ["a", "a b", '#1 "!~', "0" * 5000])
def test_token_takes_printable_ascii(raw: str) -> None:
    """What a client can send in a header is a token."""
    assert casts.token(raw) == raw


@pytest.mark.parametrize("raw", ["", " a", "a ", "a\n", "ü", "\x7f", "\ud800", b"a", 5, None])
def test_token_refuses_the_rest(raw: object) -> None:
    """No client could send it, or a server would strip it."""
    assert refusal(casts.token, raw) == "printable ASCII, without white space around it"


@pytest.mark.parametrize("raw", ["X-Request-ID", "x-b3-traceid", "X_Odd.But~Valid"])
def test_header_name_takes_a_token(raw: str) -> None:
    """What RFC 9110 calls a token is the name of a header."""
    assert casts.header_name(raw) == raw


@pytest.mark.parametrize(
    "raw", ["", "X Request", "X-Request:", "X\r\nSet-Cookie", "Überschrift", 5]
)
def test_header_name_refuses_the_rest(raw: object) -> None:
    """A name that would split a response into two is refused."""
    assert refusal(casts.header_name, raw) == "the name of an HTTP header, like 'X-Request-ID'"


@pytest.mark.parametrize("raw", ["/run/app/draining", Path("/run/app/draining")])
def test_absolute_path_takes_strings_and_paths(raw: object) -> None:
    """Either is taken as the string."""
    assert places.absolute_path(raw) == "/run/app/draining"


@pytest.mark.parametrize("raw", ["draining", "./draining", "", Path("draining"), None, 5])
def test_absolute_path_refuses_the_rest(raw: object) -> None:
    """A relative path would lead elsewhere for every process."""
    assert refusal(places.absolute_path, raw) == "an absolute path, like '/run/app/draining'"


@pytest.mark.parametrize("raw", ["/", "//", "/run/a\0b", "/run/\ud800"])
def test_absolute_path_refuses_what_no_file_is_called(raw: str) -> None:
    """Whoever opened it would raise, for each question of readiness."""
    assert refusal(places.absolute_path, raw) == "an absolute path, like '/run/app/draining'"


@pytest.mark.parametrize(
    "raw", ["http://hooks", "https://hooks.example/a?b=c", "HTTPS://u:p@h:8443/", "http://[::1]:80"]
)
def test_web_url_takes_http_and_https(raw: str) -> None:
    """A URL with a host is itself."""
    assert places.web_url(raw) == raw


@pytest.mark.parametrize(
    "raw",
    [
        *("", "hooks.example", "ftp://h/", "file:///etc/passwd", "http://", None, b"http://h/"),
        *("http://[::1", "http://h:port/", "http://h:99999/", "http://h:0/"),
        *("http://h/a b", "http://h/ü", "http://h\n/", "http://\udcff@h/", "http://h/?ü"),
    ],
)
def test_web_url_refuses_the_rest(raw: object) -> None:
    """Other schemes, no host, ports that are none, and what no request can have are refused."""
    wanted = "an http or https URL with a host, its path in ASCII and without spaces"
    assert refusal(places.web_url, raw) == wanted


@pytest.mark.parametrize("raw", ["0.0.0.0", "::", "fe80::1%eth0", "localhost", "bücher.example"])
def test_host_takes_addresses_and_names(raw: str) -> None:
    """Each is itself; only the network knows whether there is one."""
    assert places.host(raw) == raw


@pytest.mark.parametrize("raw", ["", "a..b", "a" * 64, "a\0b", "\udcff", b"::", None])
def test_host_refuses_the_rest(raw: object) -> None:
    """What cannot be looked up would be a traceback at start."""
    assert refusal(places.host, raw) == "the address or the name of a host, like '0.0.0.0'"


@pytest.mark.parametrize("raw", ["WARNING", "warning", " Warning ", checks.WARNING])
def test_level_takes_names_and_numbers(raw: object) -> None:
    """Django's constant does as well as its name."""
    assert casts.level(raw) == checks.WARNING


@pytest.mark.parametrize("raw", ["WARN", "", 25, True, None, "30", [30]])
def test_level_refuses_the_rest(raw: object) -> None:
    """The refusal names the levels that there are."""
    levels = "one of 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'"
    assert refusal(casts.level, raw) == levels


@pytest.mark.parametrize("raw", [["^/static/", re.compile("^/ping$")], '["^/static/", "^/ping$"]'])
def test_patterns_are_compiled(raw: object) -> None:
    """A list, or the JSON of one, is taken; what is compiled stays so."""
    assert [pattern.pattern for pattern in casts.patterns(raw)] == ["^/static/", "^/ping$"]


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("^/static/", "a list, in the environment as JSON"),
        ("[" * 100_000, "a list, in the environment as JSON"),
        ('{"a": 1}', "a list"),
        (None, "a list"),
        ({"^/a"}, "a list"),
        ([5], "a list of regular expressions; item 0 is 5"),
        ([re.compile(b"a")], "a list of regular expressions; item 0 is re.compile(b'a')"),
        (["a", "("], "a list of regular expressions; item 1 does not compile: "),
        (["a{99999999999}"], "a list of regular expressions; item 0 does not compile: "),
    ],
)
def test_patterns_refuse_the_rest(raw: object, wanted: str) -> None:
    """The refusal names the item that does not do."""
    assert refusal(casts.patterns, raw).startswith(wanted)


@pytest.mark.parametrize(
    "raw", ["shop.health.check_stock", "a.b", check_url_config, partial(check_url_config)]
)
def test_target_takes_paths_and_callables(raw: object) -> None:
    """Either is kept as it is: a path is imported when it is needed."""
    assert casts.target(raw) is raw


@pytest.mark.parametrize(
    "raw", ["check_stock", "", "a b.c", "a..b", ".a", "shop/health.py", 5, None]
)
def test_target_refuses_the_rest(raw: object) -> None:
    """What cannot be the dotted path of an attribute is refused."""
    assert refusal(casts.target, raw).startswith("the dotted path of a callable")


@pytest.mark.parametrize("raw", ["debug", "always", "never", "shop.may_see", check_url_config])
def test_details_take_words_and_callables(raw: object) -> None:
    """The three words are not taken for paths."""
    assert casts.details(raw) is raw


@pytest.mark.parametrize("raw", ["sometimes", True, None, ["always"]])
def test_details_refuse_the_rest(raw: object) -> None:
    """The refusal names the words."""
    assert refusal(casts.details, raw).startswith("'debug', 'always', 'never', or the dotted path")


def test_the_environment_says_a_word_about_details() -> None:
    """Which code runs is not for the environment to say."""
    assert casts.details_word("never") == "never"
    assert refusal(casts.details_word, "shop.may_see").startswith("'debug', 'always' or 'never'")


def test_entries_take_paths_callables_and_pairs() -> None:
    """Every form of a check is taken as a pair; a list does for a tuple, as JSON has none."""
    raw = ["a.b", check_url_config, ("a.b", {"aliases": ["x"]}), ["a.b", {}]]
    expected = (("a.b", {}), (check_url_config, {}), ("a.b", {"aliases": ["x"]}), ("a.b", {}))
    assert casts.entries(raw) == expected


def test_entries_take_seconds_for_timeout_and_every() -> None:
    """The keywords of our own are numbers from here on; None stands for the settings'."""
    raw = [("a.b", {"timeout": "2", "every": 0}), ("a.b", {"timeout": None})]
    (_, first), (_, second) = casts.entries(raw)
    assert first == {"timeout": 2.0, "every": 0.0}
    assert second == {"timeout": None}


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (None, "a list"),
        ({"a.b"}, "a list"),
        ("a.b", "a list of checks, not a str"),
        ('["a.b"]', "a list of checks, not a str"),
        ((path for path in ["a.b"]), "a list of checks, not a generator"),
        ({"a.b": {}}, "a list of checks, not a dict"),
        ([("a.b",)], "a list of checks; item 0 is ('a.b',), not the dotted path of a callable"),
        ([("a.b", {}, 1)], "a list of checks; item 0 is ('a.b', {}, 1), not the dotted path"),
        ([["a.b", "c.d"]], "a list of checks; item 0 is ['a.b', 'c.d'], not (path, {keyword: v"),
        ([("a.b", None)], "a list of checks; item 0 is ('a.b', None), not (path, {keyword: v"),
        (
            [("a.b", {"fail_level": "BAD"})],
            "a list of checks; item 0 has fail_level='BAD', not one",
        ),
        (["check"], "a list of checks; item 0 is 'check', not the dotted path of a callable"),
        (["a.b", 5], "a list of checks; item 1 is 5, not the dotted path of a callable"),
        ([("a.b", "c.d")], "a list of checks; item 0 is ('a.b', 'c.d'), not (path, {keyword: v"),
        ([("a.b", {1: 2})], "a list of checks; item 0 is ('a.b', {1: 2}), not (path, {keyword"),
        ([("a.b", {"timeout": 0})], "a list of checks; item 0 has timeout=0, not a number above"),
        ([("a.b", {"every": "x"})], "a list of checks; item 0 has every='x', not a number from"),
    ],
)
def test_entries_refuse_the_rest(raw: object, wanted: str) -> None:
    """The refusal names the item that does not do."""
    assert refusal(casts.entries, raw).startswith(wanted)


def test_probes_take_a_list_for_each_probe() -> None:
    """A probe may be named with no check at all."""
    raw = {"liveness": [], "readiness": ["a.b"]}
    assert casts.probes(raw) == {"liveness": (), "readiness": (("a.b", {}),)}


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        (["a.b"], "a mapping from the name of a probe to a list of checks"),
        (None, "a mapping from the name of a probe to a list of checks"),
        (
            {"heartbeat": []},
            "a mapping whose keys are among liveness, readiness, startup, not 'heartbeat'",
        ),
        ({"readiness": "a.b"}, "a mapping whose 'readiness' is a list of checks, not a str"),
        ({"startup": [5]}, "a mapping whose 'startup' is a list of checks; item 0 is 5, not the "),
    ],
)
def test_probes_refuse_the_rest(raw: object, wanted: str) -> None:
    """A fourth probe is an error, and so is a list that is none."""
    assert refusal(casts.probes, raw).startswith(wanted)


def test_entries_take_what_json_makes_of_them() -> None:
    """A list of pairs survives JSON, which has no tuples."""
    raw = [("a.b", {"aliases": ["default"]})]
    assert casts.entries(json.loads(json.dumps(raw))) == casts.entries(raw)
