"""nginx before several instances, following their readiness as a Service of Kubernetes does."""

import threading
from collections.abc import Sequence
from pathlib import Path
from signal import SIGHUP, SIGQUIT

from tests.harness import http
from tests.harness.closing import Closing
from tests.harness.ports import LOOPBACK, Port, accepts
from tests.harness.processes import Process
from tests.harness.programs import find_program
from tests.harness.waiting import wait_until

LOOK_SECONDS = 0.1

# Nothing is retried: a request that an instance loses is an error that the client sees.
CONFIG = """
daemon off; pid {folder}/nginx.pid; error_log stderr error; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream app {{ {servers} keepalive 16; }}
  server {{
    listen {host}:{port};
    location / {{
      proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_next_upstream off; proxy_read_timeout 30s;
    }}
  }}
}}
"""


class Balancer(Closing):
    """Sends requests to those instances whose readiness passes, over connections that it keeps."""

    def __init__(self, folder: Path, ready: dict[int, http.Address], path: str) -> None:
        """Take `ready`: for each application port the address whose `path` tells its readiness."""
        nginx = find_program("nginx")
        self._folder = folder
        self._ready = ready
        self._path = path
        self._port = Port()
        self.address = (LOOPBACK, self._port.number)
        self.serving: list[int] = []
        self._ended = threading.Event()
        self._follow_once()
        self._nginx = Process([nginx, "-p", str(folder), "-c", "nginx.conf"], cwd=folder)
        wait_until(lambda: accepts(self._port.number), what=f"nginx accepts\n{self._nginx.output}")
        self._follower = threading.Thread(target=self._follow, daemon=True)
        self._follower.start()

    def errors(self) -> list[str]:
        """Return what nginx has complained of."""
        return self._nginx.lines("stderr")

    def close(self) -> None:
        self._ended.set()
        self._follower.join(5)
        self._nginx.send_signal(SIGQUIT)
        self._nginx.kill()
        self._port.close()

    def _follow(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            if self._follow_once():
                self._nginx.send_signal(SIGHUP)

    def _follow_once(self) -> bool:
        serving = [port for port, address in self._ready.items() if self._is_ready(address)]
        if not serving or serving == self.serving:
            return False
        self._write(serving)
        self.serving = serving
        return True

    def _write(self, serving: Sequence[int]) -> None:
        servers = " ".join(f"server {LOOPBACK}:{port};" for port in serving)
        text = CONFIG.format(
            folder=self._folder, servers=servers, host=LOOPBACK, port=self._port.number
        )
        (self._folder / "nginx.conf").write_text(text)

    def _is_ready(self, address: http.Address) -> bool:
        try:
            return http.request(address, "GET", self._path, timeout=2).status == 200
        except (OSError, ValueError, http.http.client.HTTPException):
            return False
