"""A request's id is valid, and no other request has it."""

import random
import subprocess
import sys

import pytest

from dockerflow_django.context import current_rid
from dockerflow_django.context.requests import start_request

HEX = "0123456789abcdef"


@pytest.mark.parametrize("rid", ["a", "A-Z_a.z+0/9=:@", "7" * 128, "0", "-", "null"])
def test_a_valid_id_is_taken(rid):
    """What a client or proxy sends is kept, as long as it can do no harm."""
    assert start_request(rid, None).rid == rid == current_rid()


@pytest.mark.parametrize(
    "rid",
    [
        *(None, "", " ", "7" * 129, "7" * 20_000, "a\r\nb", "a\n", "\na", "a\0", "\0", "grün"),
        *("é", "a b", "a,b", "\u0663", "a;b", '"a"', "<a>", "{a}", "a\x7f", "a%0a", "\ud800"),
    ],
)
def test_another_id_is_replaced(rid):
    """A line feed forges no record and 20 kB fill no disk: 32 hex digits (D11, django-guid)."""
    made = start_request(rid, None).rid
    assert (len(made), set(made) <= set(HEX), made == current_rid()) == (32, True, True)


def test_made_ids_differ():
    """No two requests share one."""
    assert len({start_request(None, None).rid for _ in range(100)}) == 100


def test_a_project_that_seeds_repeats_no_ids():
    """What a view does to Python's own generator is no matter of ours."""
    made = []
    for _ in range(2):
        random.seed(7)
        made.append(start_request(None, None).rid)
    assert made[0] != made[1]


def test_a_fork_repeats_no_ids():
    """Gunicorn's workers begin with what was loaded before them."""
    code = (
        "import os\n"
        "from dockerflow_django.context.ids import new_rid\n"
        "from dockerflow_django.context.requests import start_request\n"
        "new_rid()\n"
        "if child := os.fork():\n    os.waitpid(child, 0)\n"
        "print(start_request(None, None).rid, flush=True)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    child, parent = out.stdout.split()
    assert child != parent


def test_a_fork_without_pythons_hooks_repeats_no_ids():
    """UWSGI's workers are forked by C code, which calls none of them."""
    code = (
        "import ctypes, os\n"
        "from dockerflow_django.context.ids import new_rid\n"
        "new_rid()\n"
        "child = ctypes.CDLL(None).fork()\n"
        "os.write(1, new_rid().encode() + b'\\n')\n"
        "os.waitpid(child, 0) if child else os._exit(0)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ids = out.stdout.split()
    assert len(set(ids)) == len(ids) == 2
