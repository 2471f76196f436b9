"""Ask a running service, of any language, at Dockerflow's endpoints."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from dockerflow_django.client.http_get import Answer, ask, cause
from dockerflow_django.client.target import Target, locate

VERSION = "/__version__"
HEARTBEAT = "/__heartbeat__"
LBHEARTBEAT = "/__lbheartbeat__"
BODY_BYTES = 262_144
MOST_REDIRECTS = 3
REDIRECTS = range(300, 400)


class UnreachableError(Exception):
    """Nothing at that address answers at all."""


@dataclass(frozen=True)
class Reply:
    """What one endpoint answered: no answer has a problem instead."""

    answer: Answer | None
    problem: str = ""
    redirects: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """Return the status code, 0 if no answer came."""
        return self.answer.status if self.answer else 0

    @property
    def body(self) -> str:
        """Return the body as text."""
        return self.answer.body if self.answer else ""

    @property
    def shown(self) -> str:
        """Return the answer as a line for people shows it."""
        if self.answer is None:
            return self.problem
        after = f" after a redirect to {self.redirects[-1]}" if self.redirects else ""
        if self.status in REDIRECTS and self.answer.location:
            after = f", a redirect to {_public(self.answer.location)}"
        return f"{self.status} {self.answer.reason}".rstrip() + after


@dataclass
class Service:
    """A service at an address; each path is asked once."""

    address: str
    timeout_seconds: float = 5.0
    verify: bool = True
    replies: dict[str, Reply] = field(default_factory=dict)
    # A path that no service has: it tells an endpoint from a page that answers everywhere.
    unknown_path: str = field(default_factory=lambda: f"/__{secrets.token_hex(8)}__")

    def __post_init__(self) -> None:
        self.base = read_address(self.address)
        self.shown = _target(self.base, "/").shown.rstrip("/:")

    @property
    def port(self) -> int | None:
        """Return the port of the address, None for a unix socket."""
        address = _target(self.base, "/").address
        return None if isinstance(address, str) else address[1]

    def connect(self) -> None:
        """Ask two endpoints; raise UnreachableError if neither answers in any way."""
        if not any(self.reply(path).answer for path in (LBHEARTBEAT, VERSION)):
            raise UnreachableError(f"{self.shown}: {self.reply(LBHEARTBEAT).problem}")

    def reply(self, path: str) -> Reply:
        """Return what the service answers at the path."""
        if path not in self.replies:
            self.replies[path] = self._ask(_target(self.base, path))
        return self.replies[path]

    def answers_everywhere(self, path: str) -> bool:
        """Tell whether a path that no service has gets the same answer as this one."""
        reply, other = self.reply(path), self.reply(self.unknown_path)
        neutral = other.body.replace(self.unknown_path, path)
        # Pages differ in a token or the time.
        are_pages = all(body.lstrip().startswith("<") for body in (reply.body, other.body))
        return reply.status == other.status and (are_pages or reply.body == neutral)

    def _ask(self, target: Target) -> Reply:
        redirects: list[str] = []
        while True:
            try:
                answer = ask(
                    target, self.timeout_seconds, verify=self.verify, body_bytes=BODY_BYTES
                )
            except Exception as error:  # noqa: BLE001 - whatever went wrong is the finding
                return Reply(None, cause(error, self.timeout_seconds), tuple(redirects))
            following = _follow(target, answer)
            if following is None or len(redirects) == MOST_REDIRECTS:
                return Reply(answer, "", tuple(redirects))
            redirects.append(following.shown)
            target = following


def read_address(text: str) -> str:
    """Return the address below which the endpoints lie; raise ValueError if it is none."""
    shown = _public(text)
    if "://" not in text and not text.startswith("unix:"):
        hint = f": write http://{shown}" if shown else ""
        raise ValueError(f"{shown!r} is no URL{hint}")
    locate(text)
    if text.startswith("unix:"):
        base = text.rstrip("/:")
        return base if ":/" in base.removeprefix("unix:") else f"{base}:"
    parts = urlsplit(text)
    if parts.query or parts.fragment:
        raise ValueError(f"{shown!r}: leave out what follows the path")
    if parts.path.rstrip("/").endswith("__") or "/__heartbeat__/" in parts.path:
        raise ValueError(f"{shown!r} is an endpoint: give the address of the service itself")
    return text.rstrip("/")


def _target(base: str, path: str) -> Target:
    return locate(f"{base}{path}")


def _follow(target: Target, answer: Answer) -> Target | None:
    """Return the target of a redirect to the same endpoint, None for any other answer.

    A slash at the end, https and www are other ways to the same; a login page is not.
    """
    if answer.status not in REDIRECTS or not answer.location or isinstance(target.address, str):
        return None
    try:
        following = locate(urljoin(f"{target.origin}{target.path}", answer.location))
    except ValueError:
        return None
    host, other = str(target.address[0]), str(following.address[0])
    is_same_host = host.removeprefix("www.") == other.removeprefix("www.")
    is_same_path = following.path.rstrip("/") == target.path.rstrip("/")
    is_downgrade = target.tls and not following.tls
    if not (is_same_host and is_same_path) or is_downgrade:
        return None
    if host == other:
        following.credentials = target.credentials
    return following


def _public(url: str) -> str:
    """Return a URL without user-info and query, which may hold secrets."""
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}".partition("?")[0]
