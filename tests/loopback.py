"""A server on the loopback interface that answers every connection with one function."""

import socket
import threading
from contextlib import contextmanager, suppress

OK = b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"status": "ok"}'


class Server:
    """What a test sees of it: where it listens, and what it was sent."""

    def __init__(self, listener):
        self.listener = listener
        self.address = listener.getsockname()
        self.stopped = threading.Event()
        self.asked = threading.Event()
        self.requests = []

    @property
    def port(self):
        return self.address[1]

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def serving(answer, listener=None):
    """Serve until the block ends, with `answer(connection, stopped)` once a request has come."""
    server = Server(listener or socket.create_server(("127.0.0.1", 0)))
    server.listener.settimeout(0.02)
    thread = threading.Thread(target=_accept, args=(server, answer))
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        thread.join()
        server.listener.close()


def _accept(server, answer):
    while not server.stopped.is_set():
        with suppress(OSError):  # nobody came for a moment, or went in the middle
            connection, _ = server.listener.accept()
            with connection:
                connection.settimeout(10)
                server.requests.append(connection.recv(65536))
                server.asked.set()
                answer(connection, server.stopped)


def say(data):
    """Answer with these bytes."""
    return lambda connection, stopped: connection.sendall(data)


def say_nothing(connection, stopped):
    """Keep the connection and send nothing."""
    stopped.wait(20)


def drip(start):
    """Send the start at once, and then a byte now and then for ever."""

    def answer(connection, stopped):
        connection.sendall(start)
        while not stopped.wait(0.05):
            connection.sendall(b"x")

    return answer


def gush(connection, stopped):
    """Send a body that has no end, as fast as it is read."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:  # until the client has gone
        connection.sendall(b"x" * 65536)
