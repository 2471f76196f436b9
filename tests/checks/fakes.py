"""Servers and backends that misbehave on purpose."""

import select
import socket
import socketserver
import threading
from contextlib import contextmanager

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from django.core.files.storage import Storage
from django.core.mail.backends.base import BaseEmailBackend


class FreezingProxy(socketserver.ThreadingTCPServer):
    """Pass on what both sides say, until it is frozen."""

    daemon_threads = True

    def __init__(self, host, port):
        super().__init__(("127.0.0.1", 0), _Passage)
        self.target = (host, port)
        self.port = self.server_address[1]
        self.is_frozen = False


class _Passage(socketserver.BaseRequestHandler):
    def handle(self):
        with socket.create_connection(self.server.target) as other:
            other_side = {self.request: other, other: self.request}
            while not self.server.is_frozen:
                for speaker in select.select(other_side, [], [], 0.02)[0]:
                    data = speaker.recv(65536)
                    if not data:
                        return
                    other_side[speaker].sendall(data)
            # Stay connected and mute until the client gives up.
            self.request.settimeout(10)
            while self.request.recv(65536):
                pass


@contextmanager
def freezing_proxy(host, port):
    """Run a `FreezingProxy` in a thread."""
    with _serving(FreezingProxy(host, port)) as proxy:
        yield proxy


class ForgetfulCache(BaseCache):
    """Say nothing about what went wrong, as django-redis does with IGNORE_EXCEPTIONS."""

    def __init__(self, location, params):
        super().__init__(params)

    def set(self, key, value, timeout=None, version=None):
        """Drop the value."""

    def get(self, key, default=None, version=None):
        return default

    def delete(self, key, version=None):
        return False


class BrokenCache(LocMemCache):
    """Store, but raise what the test has put into ``error`` on reading."""

    error: BaseException = OSError("cannot read")
    error_of_delete: Exception | None = None

    def get(self, key, default=None, version=None):
        raise self.error

    def delete(self, key, version=None):
        super().delete(key, version)
        if self.error_of_delete:
            raise self.error_of_delete


class LaggingCache(LocMemCache):
    """Answer as a replica does that is one read behind."""

    reads = 0

    def get(self, key, default=None, version=None):
        self.reads += 1
        return default if self.reads == 1 else super().get(key, default, version)


class OwnRedisCache(RedisCache):
    """Be a project's own kind of Django's Redis cache."""


class MuteRedis:
    """Answer PING with False, or raise what the test has put into ``error``."""

    error: BaseException | None = None

    def ping(self):
        if self.error:
            raise self.error
        return False


class BrokenStorage(Storage):
    """Raise what the test has put into ``error``, as a client library of its own would."""

    error: BaseException = RuntimeError("no answer from https://user:secret@bucket.invalid")

    def exists(self, name):
        raise self.error


class UndecidedMail(BaseEmailBackend):
    """Raise on opening and on closing."""

    def open(self):
        raise OSError("cannot open")

    def close(self):
        raise OSError("cannot close")


class SMTPServer(socketserver.ThreadingTCPServer):
    """Speak as much SMTP as opening and closing a connection takes, and count connections."""

    daemon_threads = True
    accepts_login = True
    silent_on: bytes | None = None

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _SMTPSession)
        self.port = self.server_address[1]
        self.commands = []
        self.sessions = 0
        self.ended = threading.Condition()

    def wait_until_all_ended(self):
        """Wait until every connection that was opened is closed."""
        with self.ended:
            return self.ended.wait_for(lambda: self.sessions == 0, timeout=5)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        with self.ended:
            self.sessions -= 1
            self.ended.notify_all()

    def process_request(self, request, client_address):
        with self.ended:
            self.sessions += 1
        super().process_request(request, client_address)


class _SMTPSession(socketserver.StreamRequestHandler):
    def handle(self):
        self.reply(b"220 fake")
        for line in self.rfile:
            verb = line.split()[0].upper()
            self.server.commands.append(verb.decode())
            if verb != self.server.silent_on:
                self.reply(self.answer(verb))

    def answer(self, verb):
        login = b"235 welcome" if self.server.accepts_login else b"535 not you"
        answers = {b"EHLO": b"250-fake\r\n250 AUTH PLAIN", b"AUTH": login, b"QUIT": b"221 bye"}
        return answers.get(verb, b"502 what?")

    def reply(self, text):
        self.wfile.write(text + b"\r\n")


@contextmanager
def smtp_server():
    """Run an `SMTPServer` in a thread."""
    with _serving(SMTPServer()) as server:
        yield server


@contextmanager
def _serving(server):
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
