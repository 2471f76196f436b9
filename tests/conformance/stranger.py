"""Services of no particular language, right and wrong ones, on the loopback interface."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION_OBJECT = {
    "source": "https://example.com/shop",
    "version": "",
    "commit": "4f5c2d1",
    "build": "https://ci.example.com/7",
}
# A service as another language's framework makes it: no slashes at the end, JSON only if it must.
RIGHT = {
    "/__version__": (200, json.dumps(VERSION_OBJECT)),
    "/__heartbeat__": (200, "fine"),
    "/__lbheartbeat__": (200, ""),
}
LANDING_PAGE = (200, "<!doctype html><title>Shop</title>")


def version(**changed):
    """Return the answer with a version object in which these keys are other."""
    return 200, json.dumps(VERSION_OBJECT | changed)


def redirect(location, status=302):
    """Return an answer that sends the client elsewhere."""
    return status, "", {"Location": location}


def slow(seconds):
    """Return an answer that comes too late."""
    return lambda: time.sleep(seconds) or (200, "")


@contextmanager
def stranger(answers=RIGHT, otherwise=(404, "not here"), wrap=None):
    """Serve these answers by path until the block ends; give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answers, otherwise))
    server.daemon_threads = False
    scheme = "http"
    if wrap:
        server.socket, scheme = wrap(server.socket), "https"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"{scheme}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(answers, otherwise):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer = answers.get(self.path, otherwise)
            status, body, *headers = answer() if callable(answer) else answer
            self._send(status, body.encode(), *headers)

        def do_HEAD(self):
            self._send(405, b"")

        def _send(self, status, body, headers=None):
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": len(body)}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            """Keep the tests' output free of it."""

    return Handler
