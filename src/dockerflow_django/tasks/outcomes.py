"""What the handler of a message may raise to say what becomes of the message."""


class Requeue(Exception):  # noqa: N818 - an order, not an error
    """Give the message back to the queue; it comes again after a pause.

    The pause grows with every message in a row that is given back, from 1 to 30 seconds.
    """


class Reject(Exception):  # noqa: N818 - an order, not an error
    """Refuse the message for good: it goes to the queue's dead-letter exchange, or nowhere."""
