"""Each name is hidden in each form, other secrets are hidden too, and ordinary text stays."""

import json
import logging
import logging.handlers
import queue
import tracemalloc
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockerflow_django.logging import ConsoleFormatter, MozlogFormatter
from dockerflow_django.logging.scrubbing import REDACTED, scrub
from dockerflow_django.logging.secret_names import IN_QUERIES, IN_URLS
from tests.logging.lines import fields_of, make_record, raised
from tests.logging.secrets import FORMS, IN_CAPITALS, OTHERS, SECRET, STAYS, WORDS, spellings


def named(kind, name):
    """Return a text or a record that has such a name where its kind has one."""
    return {
        "option": f"run --{name} hunter2",
        "value": f"'password', '{name}'",
        "columns": f"INSERT INTO t (a, {name[-2_000:]}) VALUES (1, 'hunter2')",
        "argument": make_record("%(a)s", ({"a": 1, name: "hunter2"},)),
        "extra": make_record("x", **{name: "said"}),
    }[kind]


@pytest.mark.parametrize("kind", ["option", "value", "columns", "argument", "extra"])
def test_long_names_are_not_kept(kind):
    """Whoever sends them cannot fill the memory with what is remembered of each."""
    formatter = MozlogFormatter()
    tracemalloc.start()
    try:
        for number in range(400):
            name = f"a{number}" * 5_000 + "_token"
            found = named(kind, name)
            text = scrub(found) if isinstance(found, str) else formatter.format(found)
            assert "hunter2" not in text
        del found, name, text
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 500_000


@pytest.mark.parametrize("form", FORMS)
def test_each_name_in_each_form(form):
    """However the name is spelt; what is left is not touched a second time."""
    for name in (name for word in WORDS for name in spellings(word)):
        text = FORMS[form](name, SECRET)
        assert SECRET in text
        scrubbed = scrub(text)
        assert SECRET not in scrubbed, text
        assert REDACTED in scrubbed, text
        assert scrub(scrubbed) == scrubbed, text


@pytest.mark.parametrize("name", [*IN_URLS, *IN_QUERIES])
def test_each_name_in_a_query(name):
    """Names that mean something else elsewhere, however they are spelt and the query encoded."""
    for spelt in (name, name.upper(), "".join(map(str.title, name.split("_")))):
        for text in (
            f"?{spelt}=hunter2 x",
            f"&{spelt}=hunter2 x",
            f"%26{spelt}%3Dhunter2",
            f"%3F{spelt}%3Dhunter2",
        ):
            assert scrub(text) == text.replace(SECRET, REDACTED)


@pytest.mark.parametrize("text", OTHERS)
def test_other_secrets(text):
    """Credentials in headers, URLs, tokens and keys."""
    scrubbed = scrub(text)
    assert SECRET not in scrubbed
    assert "aHVudGVyMjpodW50ZXIy" not in scrubbed
    assert scrub(scrubbed) == scrubbed


@pytest.mark.parametrize("text", OTHERS)
def test_other_secrets_in_other_texts(text):
    """As an exception, a list and JSON show a text that is in them."""
    error = repr(ValueError(text))
    for whole in (error, repr([error]), json.dumps({"a": text}), f"x {text} y", f"a: 1\n{text}"):
        scrubbed = scrub(whole)
        assert SECRET not in scrubbed, whole
        assert scrub(scrubbed) == scrubbed, whole


def test_other_secrets_in_lines(formatter):
    """Nothing in a line's quick way takes such a text for harmless."""
    for text in (*OTHERS, *map(str.upper, IN_CAPITALS)):
        for record in (make_record(text), make_record("", it=text), make_record("", it=[text])):
            assert SECRET not in formatter.format(record).lower(), text


@pytest.mark.parametrize("text", IN_CAPITALS)
def test_keys_in_capitals(text):
    """An identifier of a key at Amazon."""
    scrubbed = scrub(text)
    assert SECRET.upper() not in scrubbed
    assert scrub(scrubbed) == scrubbed


@pytest.mark.parametrize("text", STAYS)
def test_what_stays(text):
    """A log that hides what it should tell is of no use."""
    assert scrub(text) == text


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("a=1 password=hunter2 b=2", f"a=1 password={REDACTED} b=2"),
        ("/x?token=hunter2&b=2", f"/x?token={REDACTED}&b=2"),
        ('{"otp": "hunter2", "b": 2}', f'{{"otp": {REDACTED}, "b": 2}}'),
        ('{"pin":1234,"b":2}', f'{{"pin":{REDACTED},"b":2}}'),
        ("{'password': ('hunter2', [1]), 'b': 2}", f"{{'password': {REDACTED}, 'b': 2}}"),
        ("run --password hunter2 --x", f"run --password {REDACTED} --x"),
        ("['--token', 'hunter2', 'b']", f"['--token', {REDACTED}, 'b']"),
        ("connect(pwd='hunter2 x', b=1)", f"connect(pwd={REDACTED}, b=1)"),
        ("a%3D1%26token%3Dhunter2%26b%3D2", f"a%3D1%26token%3D{REDACTED}%26b%3D2"),
        (r'{"a": "{\"pwd\": \"x1\"}", "b": 2}', rf'{{"a": "{{\"pwd\": {REDACTED}}}", "b": 2}}'),
        ("password=wrong b=2", f"password={REDACTED} b=2"),
        ("bearer abcdefghijklmnop", f"bearer {REDACTED}"),
        ("bearer abcdefghijklmno", "bearer abcdefghijklmno"),
        ("password=!#^!", f"password={REDACTED}"),
        ("IDENTIFIED BY '!#^!#' x", f"IDENTIFIED BY {REDACTED} x"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY----- x",
            f"-----BEGIN RSA PRIVATE KEY-----{REDACTED}-----END RSA PRIVATE KEY----- x",
        ),
        ("-----BEGIN PRIVATE KEY-----\nhunter2", f"-----BEGIN PRIVATE KEY-----{REDACTED}"),
        ('["password", "hunter2"]', f'["password", {REDACTED}]'),
        ("--token hunter2", f"--token {REDACTED}"),
        ("curl --cookie hunter2 https://shop", f"curl --cookie {REDACTED} https://shop"),
        ('{"cookie":1234,"b":2}', f'{{"cookie":{REDACTED},"b":2}}'),
        ("?password=a%26b%22c&b=2", f"?password={REDACTED}&b=2"),
        ("%3Fpassword%3Da%2526b%26b%3D2", f"%3Fpassword%3D{REDACTED}%26b%3D2"),
        (
            "%253Fpassword%253Da%252526b%2526b%253D2",
            f"%253Fpassword%253D{REDACTED}%2526b%253D2",
        ),
        ("curl -u ada:a%26b shop", f"curl -u ada:{REDACTED} shop"),
        ('{"pin":(1)a,"b":2}', f'{{"pin":{REDACTED},"b":2}}'),
        (f"'token', '{'a' * 127}': 1", f"'token', {REDACTED}: 1"),
        (f"'token', '{'a' * 126}': 1", f"'token', '{'a' * 126}': 1"),
        ("password='it's x' b", f"password={REDACTED} b"),
        ("SET token='it''s', b=''", f"SET token={REDACTED}, b=''"),
        ("password        = hunter2 b", f"password        = {REDACTED} b"),
        ("token != 'hunter2', b", f"token != {REDACTED}, b"),
        ("<pin><![CDATA[1234]]></pin><b>2</b>", f"<pin><![CDATA[{REDACTED}</pin><b>2</b>"),
        ("password=x(y)hunter2 b", f"password={REDACTED} b"),
        ("f(password=x(y).z, b=2)", f"f(password={REDACTED}, b=2)"),
        ("password='x'; b=2", f"password={REDACTED}; b=2"),
        ("password='x'. B", f"password={REDACTED}. B"),
        ("https%3A%2F%2Fada%3Ahunter2%40host", f"https%3A%2F%2F{REDACTED}%40host"),
        ("?key=hunter2", f"?key={REDACTED}"),
        ("%3Fkey%3Dhunter2%26b%3D2", f"%3Fkey%3D{REDACTED}%26b%3D2"),
        ("password=!#^!# password: !#^!#", f"password={REDACTED} password: !#^!#"),
        ("Cookie: a=hunter2; b=hunter2\nHost: x", f"Cookie: {REDACTED}\nHost: x"),
        ("<token>hunter2</token><b>2</b>", f"<token>{REDACTED}</token><b>2</b>"),
        ("postgres://u:hunter2@db/shop?b=2", f"postgres://{REDACTED}@db/shop?b=2"),
        ("password: hunter2\nb: 2", f"password: {REDACTED}\nb: 2"),
        ("password:\n  hunter2\nb: 2", f"password:\n  {REDACTED}\nb: 2"),
        ("IDENTIFIED BY 'hunter2' x", f"IDENTIFIED BY {REDACTED} x"),
        ("(a, token) VALUES (1, 'hunter2'), (2, 'x') x", f"(a, token) VALUES {REDACTED} x"),
        ("curl -u 'ada:hunter2' shop", f"curl -u 'ada:{REDACTED}' shop"),
        ("mysql -phunter2 a; mysql -phunter3 b", f"mysql -p{REDACTED} a; mysql -p{REDACTED} b"),
        ("//ada:hunter2@host/x", f"//{REDACTED}@host/x"),
        ("Authorization: x\r\n hunter2\r\nHost: x", f"Authorization: {REDACTED}\r\nHost: x"),
        (
            "Duplicate entry 'hunter2' for key 'shop.token'",
            f"Duplicate entry '{REDACTED}' for key 'shop.token'",
        ),
        ('{"name":"pin","value":1234,"b":2}', f'{{"name":"pin","value":{REDACTED},"b":2}}'),
        (
            "name: LANG\nvalue: C\nname: pin\nvalue: !#^!#\nname: otp\nvalue: 5",
            f"name: LANG\nvalue: C\nname: pin\nvalue: {REDACTED}\nname: otp\nvalue: {REDACTED}",
        ),
        ('x; name="pin"\r\n\r\n1234\r\n--b', f'x; name="pin"\r\n\r\n{REDACTED}\r\n--b'),
    ],
)
def test_what_stands_around_a_secret_stays(text, scrubbed):
    """Only the value is hidden, not the rest of the line."""
    assert scrub(text) == scrubbed


class Login(NamedTuple):
    """A named tuple that holds a secret."""

    user: str
    password: str


def _as_message(text):
    return make_record(text)


def _as_argument(text):
    return make_record("said %s", (text,))


def _as_exception(text):
    return make_record("oh", exc_info=raised(ValueError(text)))


def _as_extra(text):
    return make_record("oh", it=text)


def _as_inner_extra(text):
    return make_record("oh", it={"a": [text, {"b": text}]})


def _as_object(text):
    return make_record("oh", it=ValueError(text))


def _as_stack(text):
    record = make_record("oh")
    record.stack_info = f"Stack (most recent call last):\n  {text}"
    return record


WAYS = (_as_message, _as_argument, _as_exception, _as_extra, _as_inner_extra, _as_object, _as_stack)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("is_queued", [False, True], ids=["direct", "queue"])
def test_on_every_way_to_the_line(formatter, way, is_queued):
    """Directly and through a queue, in a message, an argument, an exception, an extra."""
    for form in FORMS.values():
        record = way(form("password", SECRET))
        if is_queued:
            record = queued(record)
        assert SECRET not in formatter.format(record)


def queued(record):
    """Return the record as a listener gets it."""
    records = queue.SimpleQueue()
    logging.handlers.QueueHandler(records).emit(record)
    return records.get_nowait()


@pytest.mark.parametrize(
    ("extras", "shown"),
    [
        ({"password": "hunter2"}, {"password": REDACTED}),
        ({"token": 5, "max_tokens": 5}, {"token": REDACTED, "max_tokens": 5}),
        ({"otp": None, "has_password": True}, {"has_password": True}),
        ({"user": {"pwd": "hunter2", "id": 5}}, {"user": f'{{"pwd": "{REDACTED}", "id": 5}}'}),
        ({"argv": ["run", "--password", "hunter2"]}, {"argv": ["run", "--password", REDACTED]}),
        ({"names": ["password", "email"]}, {"names": ["password", "email"]}),
        ({"env": [{"name": "DB_PASSWORD", "value": "hunter2"}]},
         {"env": f'[{{"name": "DB_PASSWORD", "value": "{REDACTED}"}}]'}),
        ({"login": Login("ada", "hunter2")}, {"login": ["ada", REDACTED]}),
        ({"by": {"ftp://u:hunter2@h": 5}}, {"by": f'{{"ftp://{REDACTED}@h": 5}}'}),
        ({"errors": {"password": ["This field is required."]}},
         {"errors": '{"password": ["This field is required."]}'}),
        ({"pair": (b"authorization", b"Basic hunter2")},
         {"pair": ["b'authorization'", REDACTED]}),
    ],
)  # fmt: skip
def test_extras_are_hidden_by_their_names(formatter, extras, shown):
    """As what text says of them is."""
    fields = fields_of(formatter.format(make_record("", **extras)))
    assert {name: fields[name] for name in shown} == shown
    assert SECRET not in str(fields)


@pytest.mark.parametrize("console", [False, True], ids=["mozlog", "console"])
def test_arguments_by_name(formatter, console):
    """The name stands with the argument alone, not in the message."""
    form = (ConsoleFormatter(color=False) if console else formatter).format
    record = make_record("%(user)s has %(password)s", ({"user": "ada", "password": SECRET},))
    assert f"ada has {REDACTED}" in form(record)
    assert record.args == {"user": "ada", "password": SECRET}
    record = make_record("%(user)s has %(n)d", ({"user": "ada", "n": 5},))
    assert "ada has 5" in form(record)


def test_an_argument_by_name_that_must_be_a_number(formatter):
    """What stands for a secret does not fit the message, which stays as it is."""
    fields = fields_of(formatter.format(make_record("pin %(pin)d", ({"pin": 1234},))))
    assert "1234" not in str(fields)
    assert fields["msg"] == "pin %(pin)d"


def test_names_that_are_alike_once_scrubbed(formatter):
    """Each is kept, under a short name."""
    fields = fields_of(formatter.format(make_record("", by={f"sid={n}": n for n in range(300)})))
    names = list(json.loads(fields["by"]))
    assert len(names) == 300
    assert max(map(len, names)) < 30


def test_a_dict_as_message(formatter):
    """Its fields are fields, directly; through a queue it is text."""
    record = make_record({"password": SECRET, "a": 1})
    assert fields_of(formatter.format(record)) == {"password": REDACTED, "a": 1}
    assert SECRET not in formatter.format(queued(record))


HEAD = "GET / HTTP/1.1\r\nCookie: a={}; b=hunter2\r\nHost: x"
# How a text is shown that stands in a text.
ways_to_show = st.lists(
    st.sampled_from(
        [
            repr,
            lambda text: repr(ValueError(text)),
            lambda text: json.dumps({"a": text, "b": 2}),
            lambda text: repr({"a": text}),
            lambda text: repr([text.encode()]),
        ]
    ),
    max_size=3,
)


@settings(
    database=None,
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    word=st.sampled_from(WORDS),
    form=st.sampled_from([f for f in FORMS if f.startswith(("json", "dict", "repr of a", "pair"))]),
    around=st.text(st.sampled_from("ab ,;:'\"\\/%[](){}=@&\n\t<>é"), max_size=8),
    shown=ways_to_show,
)
def test_quoted_secrets_with_odd_characters(word, form, around, shown):
    """Quotes, brackets, backslashes and spaces do not end a secret that stands in quotes."""
    text = FORMS[form](word, f"x{around}{SECRET}{around}")
    for show in shown:
        text = show(text)
    assert SECRET not in scrub(text), text


@settings(
    database=None,
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    cookie=st.text(st.sampled_from("ab ,;:'\"\\/%[](){}=@&<>é"), max_size=8),
    form=st.sampled_from(["Cookie: a={}; b=hunter2", "HTTP_COOKIE=a={}; b=hunter2", HEAD]),
    shown=ways_to_show,
)
def test_cookies_with_odd_characters(cookie, form, shown):
    """A header goes on until its line ends, or the string that it stands in."""
    text = form.format(cookie)
    for show in shown:
        text = show(text)
    assert SECRET not in scrub(text), text


pieces = st.sampled_from([*WORDS, *"ab=:/@'\"\\ %2[](){}<>&,;-\n", "%22", "://", "--"])


@settings(
    database=None,
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.lists(pieces, max_size=30).map("".join))
def test_any_text(text):
    """Whatever is in it, it is scrubbed without an error."""
    assert isinstance(scrub(text), str)
