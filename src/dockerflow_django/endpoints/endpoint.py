"""What an endpoint is: a name, without what it answers."""

from typing import NamedTuple


class Endpoint(NamedTuple):
    """One endpoint: its URL name, and for a probe that probe's."""

    name: str
    probe: str = ""
