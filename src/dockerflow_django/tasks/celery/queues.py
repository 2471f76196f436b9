"""Which queue a task came from: a worker knows exchange and routing key, and no more."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

_DIRECT = "direct"
# Brokers deliver to a queue of that name what is sent to the exchange without a name.
_NO_EXCHANGE = ""

_Routes = dict[tuple[str, str], str | None]
_routes: WeakKeyDictionary[Any, _Routes] = WeakKeyDictionary()


def queue_of(app: Any, delivery_info: Mapping[str, Any] | None) -> str | None:
    """Return the declared queue that exchange and routing key lead to, None if it is not one."""
    if not delivery_info:
        return None
    routes = _routes.get(app)
    if routes is None:
        routes = _routes[app] = _routes_of(app)
    key = delivery_info.get("exchange") or _NO_EXCHANGE, delivery_info.get("routing_key") or ""
    return routes.get(key)


def _routes_of(app: Any) -> _Routes:
    """Map every direct exchange and routing key to its queue, if there is only one."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, queue in app.amqp.queues.items():
        found[_NO_EXCHANGE, name].add(name)
        exchange = queue.exchange
        if exchange is not None and exchange.type == _DIRECT:
            found[exchange.name or _NO_EXCHANGE, queue.routing_key or name].add(name)
    return {key: next(iter(names)) if len(names) == 1 else None for key, names in found.items()}
