"""How a project tells a secret without meaning to: in exceptions, log records and SQL.

Each function of ``WAYS`` is called with the request, and with the secret that is to be told.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from django.http import HttpRequest

from tests.logging.secrets import FORMS

logger = logging.getLogger("project.leaks")


@dataclass
class Login:
    user: str
    password: str


class Pair(NamedTuple):
    user: str
    api_key: str


class Client:
    """Shows its password when it is printed."""

    def __init__(self, password: str) -> None:
        self._password = password

    def __repr__(self) -> str:
        return f"<Client at redis://shop:{self._password}@cache>"


def raise_arguments(request: HttpRequest, it: str) -> NoReturn:
    raise RuntimeError("refused", {"password": it}, Login("ada", it))


def raise_chain(request: HttpRequest, it: str) -> NoReturn:
    cause = ValueError(f"token: {it}")
    raise OSError(f"no route to postgres://shop:{it}@db/shop") from cause


def raise_notes(request: HttpRequest, it: str) -> NoReturn:
    error = RuntimeError("refused")
    error.add_note(f"Authorization: Bearer {it}")
    error.add_note(f"api_key={it}")
    raise error


def raise_with_locals(request: HttpRequest, it: str) -> NoReturn:
    password, settings = it, {"anything": it}
    raise RuntimeError(f"{len(password)} and {len(settings)}")


def raise_group(request: HttpRequest, it: str) -> NoReturn:
    raise ExceptionGroup("two", [ValueError(f"secret={it}"), KeyError(f"sid={it}")])


def raise_request(request: HttpRequest, it: str) -> NoReturn:
    """Quote everything that came with the request."""
    raise RuntimeError(repr([request.headers, request.COOKIES, request.GET, request.META]))


def raise_body(request: HttpRequest, it: str) -> NoReturn:
    raise RuntimeError(f"cannot read {request.body!r}")


def log_extras(request: HttpRequest, it: str) -> None:
    nested = {"user": "ada", "inner": [{"db_password": it}, (("token", it),)]}
    extra = {"password": it, "nested": nested, "login": Login("ada", it), "pair": Pair("ada", it)}
    extra |= {"client": Client(it), "argv": ["run", "--token", it], "urls": [f"amqp://a:{it}@mq/"]}
    logger.warning("extras", extra=extra)


def log_arguments(request: HttpRequest, it: str) -> None:
    logger.warning("password=%s", it)
    logger.warning("login of %r, %s", {"password": it}, Client(it))
    logger.warning("%(user)s %(password)s", {"user": "ada", "password": it})
    logger.warning("too few %s %s", {"password": it})  # noqa: PLE1206 - that is the case
    logger.warning({"event": "login", "password": it, "of": Login("ada", it)})


def log_exception(request: HttpRequest, it: str) -> None:
    try:
        raise_chain(request, it)
    except OSError as error:
        logger.exception("no answer: %s", error, stack_info=True)  # noqa: TRY401 - so it is done
        logging.getLogger("django.request").exception("Gone: %s?token=%s", request.path, it)


def log_tokens(request: HttpRequest, it: str) -> None:
    for text in (f"ghp_{it * 2}", f"glpat-{it}", f"sk_live_{it}", f"xoxb-1-{it}", f"AIza{it * 2}"):
        logger.warning(text)
        logger.warning("refused %s", text)


def log_commands(request: HttpRequest, it: str) -> None:
    logger.warning("ran curl -u ada:%s, mysql -p%s", it, it)
    logger.warning("ran %s", ["curl", "--user", f"ada:{it}"])
    logger.warning("PASSWORD '%s' and IDENTIFIED BY '%s'", it, it)


def log_forms(request: HttpRequest, it: str) -> None:
    """Write each form of the table of secrets, in each place of a record."""
    for form in FORMS.values():
        text = form("password", it)
        logger.warning(text)
        logger.warning("said %s", text, extra={"it": text, "of": {"a": [text]}})


def break_unique(alias: str) -> Callable[[HttpRequest, str], None]:
    """Return what inserts a token twice, and what says so of the statement, in a database."""

    def insert(request: HttpRequest, it: str) -> None:
        from django.db import connections

        with connections[alias].cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE leaks (id int, token varchar(99) UNIQUE)")
            for _ in range(2):
                cursor.execute("INSERT INTO leaks (id, token) VALUES (1, %s)", [it])

    return insert


def misspell(alias: str) -> Callable[[HttpRequest, str], None]:
    """Return what sends a statement that the database quotes in its error."""

    def execute(request: HttpRequest, it: str) -> None:
        from django.db import connections

        with connections[alias].cursor() as cursor:
            cursor.execute(f"CREATE USER ada IDENTIFIED BY '{it}' AND PASSWORD '{it}'")

    return execute


WAYS: dict[str, Callable[[HttpRequest, str], Any]] = {
    function.__name__: function
    for function in (
        *(raise_arguments, raise_chain, raise_notes, raise_with_locals, raise_group),
        *(raise_request, raise_body, log_extras, log_arguments, log_exception, log_tokens),
        *(log_commands, log_forms),
    )
} | {
    f"{function.__name__} {alias}": function(alias)
    for function in (break_unique, misspell)
    for alias in ("postgresql", "mariadb")
}
