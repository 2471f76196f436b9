"""Where a secret ends: with its quote, its bracket or its line, and not before."""

import json

import pytest

from dockerflow_django.logging.scrubbing import REDACTED, scrub
from dockerflow_django.logging.secret_values import MAX_LEVELS, MAX_SPAN


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        (r"password='hunter2\\' x", f"password={REDACTED} x"),
        (r"password='hunter2\\\' hunter2' x", f"password={REDACTED} x"),
        ("password=&quot;hunter2&quot; x", f"password={REDACTED} x"),
        ("password=&quot;hunter2 hunter2\nx", f"password={REDACTED}\nx"),
        ("password=&quot;hunter2 hunter2&quot; x", f"password={REDACTED} x"),
        ("password=%22hunter2 x", f"password={REDACTED} x"),
        ("password=<Secret: hunter2> x", f"password={REDACTED} x"),
        ("password=<hunter2\n> x", f"password={REDACTED}\n> x"),
        ("password=%22hunter2%22&b=2", f"password={REDACTED}&b=2"),
        ("connect(token=SecretStr('hunter2 x'), b=1)", f"connect(token={REDACTED}, b=1)"),
        ("token=[hunter2\nnext", f"token={REDACTED}\nnext"),
        ("token=['hunter2'\nnext", f"token={REDACTED}\nnext"),
        ("token=[hunter2", f"token={REDACTED}"),
        (" token=[hunter2", f" token={REDACTED}"),
        ("token=[a\ntoken=[hunter2\n b]", f"token={REDACTED}\ntoken={REDACTED}\n b]"),
        ("token=['a]', 'hunter2'] x", f"token={REDACTED} x"),
        ("Cookie:\nHost: x", "Cookie:\nHost: x"),
        ("cookie: 'a password: 'x' b", f"cookie: {REDACTED} b"),
        ("'Cookie: a=hunter2', 'b'", f"'Cookie: {REDACTED}', 'b'"),
        ("'Cookie: a=\"hunter2', 'b'", f"'Cookie: {REDACTED}', 'b'"),
        ("'Cookie: a='x'; b=hunter2', 'b'", f"'Cookie: {REDACTED}', 'b'"),
        ("'Cookie: a='x'y; b=hunter2', 'b'", f"'Cookie: {REDACTED}', 'b'"),
        ("'Cookie: a='\nb'", f"'Cookie: {REDACTED}'\nb'"),
        ("'Cookie: a='", f"'Cookie: {REDACTED}'"),
        ("Cookie: b password=[\n'hunter2'\n] hunter2\nx", f"Cookie: {REDACTED}\nx"),
        ("'Cookie: b pwd: 'hunter2 hunter2' hunter2', 'x'", f"'Cookie: {REDACTED}', 'x'"),
        ("Cookie: it's 'hunter2'\nb", f"Cookie: {REDACTED}\nb"),
        ("?cookie=hunter2&b=2", f"?cookie={REDACTED}&b=2"),
        ("/x?cookie=hunter2&b=2", f"/x?cookie={REDACTED}&b=2"),
    ],
)
def test_end(text, scrubbed):
    """What follows it stays."""
    assert scrub(text) == scrubbed


@pytest.mark.parametrize("times", [1, 2, 3])
def test_backslash_before_a_quote(times):
    """A string that ends with a backslash ends there, however often it was quoted."""
    text, shown = json.dumps({"pwd": "hunter2\\", "b": 2}), f'{{"pwd": {REDACTED}, "b": 2}}'
    for _ in range(times):
        text, shown = json.dumps(text), json.dumps(shown)
        assert scrub(text) == shown


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        (r"""'{"pwd": "a\\", hunter2", "b": 2}'""", f"""'{{"pwd": {REDACTED}, "b": 2}}'"""),
        (r"""'{"pwd": "hunter2\\\\", "b": 2}'""", f"""'{{"pwd": {REDACTED}, "b": 2}}'"""),
        (r"""b'{"pwd": "a\\", hunter2", "b": 2}'""", f"""b'{{"pwd": {REDACTED}, "b": 2}}'"""),
        (r"""'a' '{"pwd": "a\\", hunter2", "b": 2}'""", f"""'a' '{{"pwd": {REDACTED}, "b": 2}}'"""),
        (r"""'{"a": "b", "pwd": "hunter2\\\\", "b": 2}'""",
         f"""'{{"a": "b", "pwd": {REDACTED}, "b": 2}}'"""),
        (r"""it's {"pwd": "hunter2\\", "b": 2}""", f"""it's {{"pwd": {REDACTED}, "b": 2}}"""),
        (r"""Bob's {"pwd": "hunter2\\", "b": 2}""", f"""Bob's {{"pwd": {REDACTED}, "b": 2}}"""),
        ("(' \n" + r"""{"pwd": "hunter2\\", "b": 2}""",
         "(' \n" + f"""{{"pwd": {REDACTED}, "b": 2}}"""),
        (r"{\"pwd\": \"a\\\", hunter2\", \"b\": 2}", rf"{{\"pwd\": {REDACTED}, \"b\": 2}}"),
        (r"&quot;pwd&quot;:&quot;a\&quot;, hunter2&quot;, 2", f"&quot;pwd&quot;:{REDACTED}, 2"),
        ("%22pwd%22%3A%22a%5C%22%2Chunter2%22, 2", f"%22pwd%22%3A{REDACTED}, 2"),
        ("%2522pwd%2522%253A%2522a%255C%2522%252Chunter2%2522, 2",
         f"%2522pwd%2522%253A{REDACTED}, 2"),
        ("?pwd=%22hunter2%22%25hunter2&b=2", f"?pwd={REDACTED}&b=2"),
        ("{'a': \"Cookie: a='; b=hunter2\"}", f"{{'a': \"Cookie: {REDACTED}\"}}"),
        ("pwd='it's' Cookie: a='; b=hunter2", f"pwd={REDACTED} Cookie: {REDACTED}"),
    ],
)  # fmt: skip
def test_in_strings(text, scrubbed):
    """Where a string ends depends on the strings around it, each of which doubles backslashes."""
    assert scrub(text) == scrubbed


@pytest.mark.parametrize("secret", ['a\\", hunter2', 'a", hunter2', "hunter2\\"])
def test_in_two_strings(secret):
    """Neither of which has quotes of that kind."""
    text, shown = ({"pwd": value, "b": 2} for value in (secret, REDACTED))
    shown = json.dumps(shown).replace(f'"{REDACTED}"', REDACTED)
    assert scrub(repr(repr(json.dumps(text)))) == repr(repr(shown))


def test_in_many_strings():
    """So many strings within strings are told apart, and no more."""
    quotes = ["\\" * depth + '"' for depth in range(MAX_LEVELS + 1)]
    before = " ".join(quotes)
    text, hidden = f"{before} Cookie: a=1; b=hunter2", f"{before} Cookie: {REDACTED}"
    assert scrub(f"{text}{quotes[-2]} x") == f"{hidden}{quotes[-2]} x"
    assert scrub(f"{text}{quotes[-1]} x") == hidden


def test_bracket_over_many_lines():
    """It is read so far; one that is not closed until then ends with its line."""
    text = f"token=[{'x' * (MAX_SPAN - 2)}\n]"
    assert scrub(text) == f"token={REDACTED}"
    assert scrub(text.replace("[", "[x")) == f"token={REDACTED}\n]"
