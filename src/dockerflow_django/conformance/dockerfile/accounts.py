"""The user app, and what users and groups the commands of a Dockerfile make."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

NAME = "app"
NUMBER = "10001"
OURS = {NAME, NUMBER}

_SUBSTITUTION = re.compile(r"\$\{(\w+)[^}]*\}|\$\([^)]*\)|`[^`]*`")
_SEPARATORS = re.compile(r"&&|\|\||[;|\n(){}]")
_QUOTED = re.compile(r"""\\.|"(?:\\.|[^"\\])*"|'[^']*'|(?<!\S)\#[^\n]*""", re.DOTALL)
# What separates nothing within quotes, and what stands there for it meanwhile.
_MASK = {ord(char): 0xE000 + at for at, char in enumerate("&|;\n(){}")}
_UNMASK = {mask: char for char, mask in _MASK.items()}
_SHELLS = {"ash", "bash", "dash", "sh", "su"}
_GIVEN = re.compile(r"-[a-z]*c")
_TOOLS = {"useradd", "adduser", "groupadd", "addgroup", "usermod", "groupmod"}
_LINE_OF_PASSWD = re.compile(r"(?<![\w.-])([a-z_][\w-]*):[^:\s]*:(\d+):(\d+):")
_LINE_OF_GROUP = re.compile(r"(?<![\w.-])([a-z_][\w-]*):[^:\s]*:(\d+):(?!\d)")
_SCRIPT = re.compile(r"\S+\.(?:sh|bash)\b|\bnewusers\b")
# The options that take a value, of shadow's tools, of busybox's and of Debian's.
_USER_VALUES = "bcdefgGhkKpPRsu"
_GROUP_VALUES = "gKpPRU"
_USERMOD_VALUES = "cdefgGlpPRsuvVwWZ"
_GROUPMOD_VALUES = "gnpPRU"
_LONG_VALUES = {
    "base-dir", "comment", "conf", "expiredate", "firstgid", "firstuid", "gecos", "gid", "groups",
    "home", "home-dir", "inactive", "ingroup", "key", "login", "new-name", "password", "prefix",
    "root", "shell", "skel", "uid", "users",
}  # fmt: skip


@dataclass
class User:
    """A user as it was made: number, main group, and further groups, as they were written."""

    uid: str | None
    group: str | None
    groups: list[str] = field(default_factory=list)


@dataclass
class Accounts:
    """Users and groups by name."""

    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, str | None] = field(default_factory=dict)
    # A script may have made more, or a command has changed what nobody here has seen made.
    may_be_more: bool = False


def is_app(user: str) -> bool:
    """Tell whether a user, perhaps with a group behind a colon, is app in the group app."""
    name, _, group = user.partition(":")
    return name in OURS and (not group or group in OURS)


def find_accounts(texts: list[str]) -> Accounts:
    """Return the accounts that these commands, or lines for /etc/passwd and /etc/group, make."""
    accounts = Accounts()
    for text in texts:
        accounts.may_be_more |= bool(_SCRIPT.search(text))
        for words in _commands(text):
            _read(words, accounts)
        for name, uid, gid in _LINE_OF_PASSWD.findall(text):
            accounts.users[name] = User(uid, gid)
        for name, gid in _LINE_OF_GROUP.findall(text):
            accounts.groups[name] = gid
    return accounts


def _commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command, of those that a shell is given (``sh -c "…"``) as well."""
    # What the shell would put in has no separators of ours in it.
    text = _SUBSTITUTION.sub(lambda found: f"${found[1] or ''}", text.replace("\\\n", " "))
    for part in _SEPARATORS.split(_QUOTED.sub(_masked, text)):
        try:
            found = shlex.split(part)
        except ValueError:  # a quotation that nothing closes
            found = re.sub("[\"']", "", part).split()
        words = [word.translate(_UNMASK) for word in found]
        yield words
        for at, word in enumerate(words[:-1]):
            if _GIVEN.fullmatch(word) and _SHELLS.intersection(map(_name, words[:at])):
                yield from _commands(words[at + 1])


def _masked(found: re.Match[str]) -> str:
    return "" if found[0].startswith("#") else found[0].translate(_MASK)


def _name(word: str) -> str:
    return word.rpartition("/")[2]


def _tool(word: str) -> str | None:
    name = _name(word)
    return name if name in _TOOLS else None


def _read(words: list[str], accounts: Accounts) -> None:
    for at, word in enumerate(words):
        tool, more = _tool(word), words[at + 1 :]
        if tool in {"useradd", "adduser"}:
            return _read_user(tool, more, accounts)
        if tool in {"groupadd", "addgroup"}:
            return _read_group(more, accounts)
        if tool is not None:
            return (_change_user if tool == "usermod" else _change_group)(more, accounts)
    return None


def _read_user(tool: str, words: list[str], accounts: Accounts) -> None:
    options, names = _options(words, _USER_VALUES)
    if not names:
        return
    name, *groups = names
    if name in accounts.users and groups:  # adduser USER GROUP
        accounts.users[name].groups += groups
        return
    uid = options.get("uid") or options.get("u")
    main = options.get("gid") or options.get("ingroup") or _group(tool, options, accounts)
    more = (options.get("groups") or options.get("G") or "").split(",")
    if main is None and "N" not in options and "no-user-group" not in options:
        # A group of the user's name, and with its number if that is free.
        accounts.groups.setdefault(name, uid)
        main = name
    accounts.users[name] = User(uid, main, [group for group in more if group])


def _group(tool: str, options: dict[str, str], accounts: Accounts) -> str | None:
    """Return the main group that short options name: busybox's ``-g`` is a comment."""
    given = options.get("g")
    is_group = given in accounts.groups or (given or "").isdigit()
    if given and (tool == "useradd" or is_group or "$" in given):
        return given
    return options.get("G") if tool == "adduser" else None


def _read_group(words: list[str], accounts: Accounts) -> None:
    options, names = _options(words, _GROUP_VALUES)
    if not names:
        return
    if len(names) > 1 and names[0] in accounts.users:  # addgroup USER GROUP
        accounts.users[names[0]].groups.append(names[1])
        return
    accounts.groups[names[-1]] = options.get("gid") or options.get("g")


def _change_user(words: list[str], accounts: Accounts) -> None:
    options, names = _options(words, _USERMOD_VALUES)
    user = accounts.users.pop("".join(names), None)
    if user is None:
        accounts.may_be_more = True
        return
    user.uid = options.get("uid") or options.get("u") or user.uid
    user.group = options.get("gid") or options.get("g") or user.group
    if groups := options.get("groups") or options.get("G"):
        kept = user.groups if {"a", "append"} & options.keys() else []
        user.groups = [*kept, *groups.split(",")]
    accounts.users[options.get("login") or options.get("l") or names[0]] = user


def _change_group(words: list[str], accounts: Accounts) -> None:
    options, names = _options(words, _GROUPMOD_VALUES)
    old = "".join(names)
    if old not in accounts.groups:
        accounts.may_be_more = True
        return
    new = options.get("new-name") or options.get("n") or old
    number = accounts.groups.pop(old)
    accounts.groups[new] = options.get("gid") or options.get("g") or number
    for user in accounts.users.values():
        user.group = new if user.group == old else user.group


def _options(words: list[str], short_values: str) -> tuple[dict[str, str], list[str]]:
    """Return options with their values, and the operands."""
    options: dict[str, str] = {}
    operands: list[str] = []
    waiting = iter(words)
    for word in waiting:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            has_value = not equals and name in _LONG_VALUES
            options[name] = next(waiting, "") if has_value else value
        elif word.startswith("-") and len(word) > 1:
            options |= _short(word[1:], short_values, waiting)
        elif word.startswith((">", "2>")):
            break
        else:
            operands.append(word)
    return options, operands


def _short(letters: str, with_values: str, waiting: Iterator[str]) -> dict[str, str]:
    found = {}
    for at, letter in enumerate(letters):
        if letter in with_values:
            found[letter] = letters[at + 1 :] or next(waiting, "")
            break
        found[letter] = ""
    return found
