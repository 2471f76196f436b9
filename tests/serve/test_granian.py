"""The private parts of Granian that `serve` builds on are still what it was written for."""

import inspect

import pytest
from granian import cli
from granian.server.common import AbstractServer, AbstractWorker
from granian.server.mp import MPServer, WorkerProcess

from dockerflow_django.management.commands.serve import SECONDS
from dockerflow_django.serve.options import RESPAWN_INTERVAL

# What is overridden or called: with these parameters, in this order.
SIGNATURES = {
    MPServer._spawn_worker: ["self", "idx", "target", "callback_loader"],
    AbstractServer._serve_loop: ["self", "spawn_target", "target_loader"],
    AbstractServer._respawn_workers: ["self", "workers", "spawn_target", "target_loader", "delay"],
    AbstractServer._watch_workers_lifetime: ["self", "ttl"],
    AbstractServer._watch_workers_rss: ["self"],
    MPServer._handle_rss_signal: ["self", "spawn_target", "target_loader"],
    AbstractServer.startup: ["self", "spawn_target", "target_loader"],
    AbstractServer.shutdown: ["self", "exit_code"],
    AbstractServer.signal_handler_interrupt: ["self", "args", "kwargs"],
    AbstractServer.signal_handler_reload: ["self", "args", "kwargs"],
    AbstractWorker._watcher: ["self"],
    AbstractWorker.start: ["self"],
    WorkerProcess.terminate: ["self"],
    WorkerProcess.kill: ["self"],
}
# What Granian's own methods read or set, and ours too.
ATTRIBUTES = {
    AbstractServer.__init__: [
        "self.main_loop_interrupt",
        "self.interrupt_signal",
        "self.reload_signal",
        "self.lifetime_signal",
        "self.rss_signal",
        "self.wrks",
        "self.workers_kill_timeout",
    ],
    AbstractWorker.__init__: ["self.idx", "self.birth", "self.interrupt_by_parent"],
    AbstractWorker._watcher: ["self.inner.join()", "self.interrupt_by_parent"],
    AbstractWorker.start: ["self._watch()"],
    AbstractServer._serve: ["self.startup(", "self._serve_loop(", "self.shutdown()"],
    AbstractServer._stop_workers: ["wrk.terminate()", "self.workers_kill_timeout", "wrk.kill()"],
    MPServer._handle_rss_signal: ["self._respawn_workers("],
}


@pytest.mark.parametrize("function", SIGNATURES, ids=lambda each: each.__qualname__)
def test_signature(function):
    """What is overridden takes what it took."""
    assert list(inspect.signature(function).parameters) == SIGNATURES[function]


@pytest.mark.parametrize("function", ATTRIBUTES, ids=lambda each: each.__qualname__)
def test_attributes(function):
    """What is read and set has the names that it had."""
    source = inspect.getsource(function)
    missing = [name for name in ATTRIBUTES[function] if name not in source]
    assert missing == []


def test_command_builds_the_server_of_its_own_module():
    """The command looks `Server` up in its module, and then calls `serve`."""
    source = inspect.getsource(cli.cli.callback)
    assert "Server(" in source
    assert "server.serve()" in source


def test_default_that_is_compared():
    """The interval that nobody has given is Granian's default."""
    default = inspect.signature(AbstractServer).parameters["respawn_interval"].default
    assert default == RESPAWN_INTERVAL


def test_longest_graceful_timeout():
    """Granian takes as many seconds as `serve` does."""
    option = next(each for each in cli.cli.params if each.name == "workers_kill_timeout")
    assert SECONDS("1") == option.type.min
    assert SECONDS(str(option.type.max)) == option.type.max
    with pytest.raises(ValueError, match=str(option.type.max)):
        SECONDS(str(option.type.max + 1))
