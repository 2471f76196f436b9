"""What ``consume`` was told: which function, which queue, and how it is bound."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from inspect import isasyncgenfunction, isclass, isgeneratorfunction, signature
from typing import Any

from dockerflow_django.logging.description import describe

Handler = Callable[[Any, Any], Any]

EXCHANGE_TYPES = ("direct", "fanout", "topic")


class WrongOptionsError(Exception):
    """The command cannot do as it was told; the text says why."""


@dataclass(frozen=True)
class Options:
    """The queue, and the exchange that it is bound to, if any."""

    queue: str
    exchange: str = ""
    exchange_type: str = "topic"
    routing_keys: Sequence[str] = ()
    queue_arguments: Mapping[str, Any] = field(default_factory=dict)
    prefetch: int = 1

    def check(self) -> None:
        """Raise `WrongOptionsError` if the options contradict each other."""
        if self.routing_keys and not self.exchange:
            raise WrongOptionsError("--routing-key goes with --exchange")
        if self.exchange and self.exchange_type != "fanout" and not self.routing_keys:
            raise WrongOptionsError(
                f"a {self.exchange_type} exchange needs at least one --routing-key"
            )

    def declaration(self) -> Any:
        """Return Kombu's queue with its bindings: both are durable."""
        from kombu.entity import Exchange, Queue, binding

        arguments = dict(self.queue_arguments) or None
        if not self.exchange:
            return Queue(self.queue, queue_arguments=arguments)
        exchange = Exchange(self.exchange, type=self.exchange_type)
        bindings = [binding(exchange, routing_key=key) for key in self.routing_keys or [""]]
        return Queue(self.queue, bindings=bindings, queue_arguments=arguments)


def import_handler(path: str) -> Handler:
    """Return the function at the dotted path; raise `WrongOptionsError` if it cannot be used."""
    module_path, _, name = path.rpartition(".")
    if not module_path:
        raise WrongOptionsError(f"{path!r} is no dotted path, like 'shop.orders.handle'")
    try:
        module = import_module(module_path)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a module raises
        raise WrongOptionsError(f"{module_path} cannot be imported: {describe(error)}") from None
    handler = getattr(module, name, None)
    if handler is None:
        raise WrongOptionsError(f"{module_path} has no {name!r}")
    if isclass(handler) or not callable(handler) or not _takes_two(handler):
        raise WrongOptionsError(f"{path} is no function that takes (body, message)")
    if _is_generator(handler):
        raise WrongOptionsError(f"{path} is a generator function: it would never run")
    return handler  # type: ignore[no-any-return]


def _takes_two(handler: Callable[..., Any]) -> bool:
    try:
        signature(handler).bind(None, None)
    except TypeError:
        return False
    except ValueError:  # one of C, which tells nothing
        return True
    return True


def _is_generator(handler: Callable[..., Any]) -> bool:
    functions = (handler, type(handler).__call__)
    return any(isgeneratorfunction(each) or isasyncgenfunction(each) for each in functions)
