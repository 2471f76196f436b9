"""What the handler of a message may raise to say what becomes of the message."""


class Requeue(Exception):  # noqa: N818 - an order, not an error
    """Raise it in a handler of ``manage.py consume`` to put the message back into the queue.

    The message comes again after a pause of 1 second, which doubles with each message in a row that
    is put back, up to 30 seconds.
    """


class Reject(Exception):  # noqa: N818 - an order, not an error
    """Raise it in a handler of ``manage.py consume`` to refuse the message for good.

    The broker hands it to the queue's dead-letter exchange; if the queue has none, it is lost.
    """
