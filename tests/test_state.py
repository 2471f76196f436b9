"""What a process keeps is registered, and reset in a forked child and by ``testing.reset()``."""

import errno
import mmap
import os
import pkgutil
import subprocess
import sys
import threading
import weakref
from collections import deque
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import dockerflow_django
from dockerflow_django import _state, testing

# Held by the modules below, and rightly never reset.
EXEMPT = {
    "dockerflow_django._state": {"registrations", "_lock", "_pid"},
    # What a test replaced, until its block ends.
    "dockerflow_django.checks.functions": {"replacements"},
    # What the project's modules registered when they were imported.
    "dockerflow_django.checks.registry": {"_registered"},
    # The arbiter's alone; its workers never look at it.
    "dockerflow_django.gunicorn": {"_arbiter"},
    # Signals are connected once; a forked child keeps its parent's connections.
    "dockerflow_django.metrics.feed": {"_has_started", "_lock"},
    # Django's connections of an event loop, which asgiref keeps.
    "dockerflow_django.heartbeat.threads": {"_loop_executors"},
    # Set in a worker, until it ends.
    "dockerflow_django.serve.worker": {"_this_worker"},
    # Has hooks of its own, for a lock is taken before a fork and given back after it.
    "dockerflow_django.tasks.forks": {"_close", "_is_held", "_lock"},
    # What a worker's process is, told by Celery's signals once in its life.
    "dockerflow_django.tasks.celery.stages": {"_is_pool_child", "_main_pid", "count_queries"},
    # By application, and gone with it: its queues are the same after a fork.
    "dockerflow_django.tasks.celery.queues": {"_routes"},
}
# Functions of nothing but their arguments may remember their results.
PURE = {
    "dockerflow_django.endpoints.page.rendering": {"_template"},
    "dockerflow_django.logging.sanitising": {"_way"},
    "dockerflow_django.logging.secret_names": {"_holds_secret", "is_secret_name", "is_secret_key"},
    "dockerflow_django.logging.secret_values": {"_end_of_encoded"},
    "dockerflow_django.summary.fields": {"_agent", "_first_choice"},
    "dockerflow_django.summary.record": {"_meta_key"},
    "dockerflow_django.tasks.celery.requests": {"_observed"},
}
MUTABLE = (
    list,
    dict,
    set,
    deque,
    bytearray,
    weakref.WeakSet,
    weakref.WeakKeyDictionary,
    threading.Event,
    threading.Condition,
    threading.Semaphore,
    type(threading.Lock()),
    type(threading.RLock()),
)


def modules() -> list[ModuleType]:
    """Import every module of the package that can be imported here."""
    found = []
    for each in pkgutil.walk_packages(dockerflow_django.__path__, "dockerflow_django."):
        if ".template." in each.name or each.name.endswith("__main__"):
            continue
        found.append(import_module(each.name))
    return found


def keeps_something(module: ModuleType, name: str, value: object) -> bool:
    """Tell whether a module-level name holds what may change while the process runs."""
    if name.startswith("__") or name.isupper() or name.strip("_").isupper():
        return False
    if hasattr(value, "cache_clear") and not isinstance(value, type):
        return getattr(value, "__module__", "") == module.__name__
    if isinstance(value, MUTABLE):
        return name != "urlpatterns"
    kind = type(value)
    is_ours = kind.__module__ == module.__name__ and not isinstance(value, type)
    return is_ours and hasattr(value, "__dict__") and not _is_frozen(kind)


def _is_frozen(kind: type) -> bool:
    parameters = getattr(kind, "__dataclass_params__", None)
    return bool(parameters and parameters.frozen)


def assigned_globally(module: ModuleType) -> set[str]:
    """Return the names that a function of the module assigns with ``global``."""
    names: set[str] = set()
    for line in Path(module.__file__ or "").read_text(encoding="utf-8").splitlines():
        if line.strip().startswith("global "):
            names |= {n.strip() for n in line.split("#")[0].strip()[7:].split(",")}
    return names


def registered(module: str) -> set[str]:
    return {n for each in _state.registrations if each.module == module for n in each.names}


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_what_a_module_keeps_is_registered(module):
    """A list, a lock, a cache or an object that lives as long as the process has its reset."""
    held = {n for n, v in vars(module).items() if keeps_something(module, n, v)}
    held |= assigned_globally(module)
    allowed = EXEMPT.get(module.__name__, set()) | PURE.get(module.__name__, set())
    imported = {n for n in held if _belongs_elsewhere(module, n)}
    assert held - imported - allowed - registered(module.__name__) == set()


def _belongs_elsewhere(module: ModuleType, name: str) -> bool:
    """Tell whether the name was imported from a module of ours."""
    value = getattr(module, name)
    return any(
        getattr(other, name, None) is value
        for other_name, other in list(sys.modules.items())
        if other_name.startswith("dockerflow_django") and other is not module
        if name in registered(other_name) | EXEMPT.get(other_name, set())
    )


def test_every_registered_name_exists():
    """A name that a module no longer holds is taken out of its registration."""
    for each in _state.registrations:
        if each.module.startswith("dockerflow_django"):
            for name in each.names:
                assert hasattr(import_module(each.module), name), (each.module, name)


def test_a_forked_child_resets_and_testing_resets(monkeypatch):
    """Each registration says which of the two it takes part in."""
    calls: list[str] = []
    monkeypatch.setattr(_state, "registrations", [])
    _state.keeps("a")(lambda: calls.append("both"))
    _state.keeps("b", in_tests=False)(lambda: calls.append("fork"))
    _state.keeps("c", after_fork=False)(lambda: calls.append("tests"))
    testing.reset()
    assert calls == ["both", "tests"]
    calls.clear()
    monkeypatch.setattr(_state, "_pid", os.getpid() - 1)
    monkeypatch.setattr(_state, "_mark", None)
    _state.notice_fork()
    _state.notice_fork()
    assert calls == ["both", "fork"]
    _state._after_fork()  # as a second thread that has noticed the fork, too
    assert calls == ["both", "fork"]


@pytest.mark.parametrize("mark", ["_state._mark", "None"])
def test_a_fork_without_pythons_hooks_is_noticed(mark):
    """UWSGI forks in C: the kernel empties the child's page, else the process id tells, once."""
    code = (
        "import ctypes, os\n"
        "from dockerflow_django import _state\n"
        f"_state._mark = {mark}\n"
        "calls = []\n"
        "_state.keeps('x')(lambda: calls.append(os.getpid()))\n"
        "pid = ctypes.CDLL(None).fork()\n"
        "_state.notice_fork(); _state.notice_fork()\n"
        "if pid == 0:\n"
        "    os._exit(0 if calls == [os.getpid()] else 1)\n"
        "assert calls == []\n"
        "_, status = os.waitpid(pid, 0)\n"
        "raise SystemExit(os.waitstatus_to_exitcode(status))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_linux_marks_a_forked_child():
    """Then no request costs a system call."""
    mark = _state._new_mark()
    assert mark is not None
    pid = os.fork()
    if pid == 0:
        os._exit(mark[0])
    _, status = os.waitpid(pid, 0)
    assert (mark[0], os.waitstatus_to_exitcode(status)) == (1, 0)


@pytest.mark.parametrize("refused", [{_state.MADV_WIPEONFORK, -1}, set()])
def test_a_kernel_that_marks_no_child(monkeypatch, refused):
    """An old one refuses; QEMU's user mode takes any advice, and follows none."""

    class Page(mmap.mmap):
        """A page whose kernel is another."""

        def madvise(self, option):
            if option in refused:
                raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(mmap, "mmap", Page)
    assert _state._new_mark() is None


def test_a_system_without_private_pages(monkeypatch):
    """As Windows."""
    monkeypatch.delattr(mmap, "MAP_PRIVATE")
    assert _state._new_mark() is None
