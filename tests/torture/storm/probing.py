"""Ask probes, each on a connection of its own, and print what came of it as JSON.

``python -m tests.torture.storm.probing HOST PORT TOTAL AT_ONCE PATH …``, in a process of its own:
the clients beside it should not wait for it.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from itertools import cycle, islice

SECONDS = 60.0


async def ask(address: tuple[str, int], path: str) -> tuple[str, str]:
    """Return the status, or the name of what happened instead, and what was said."""
    try:
        async with asyncio.timeout(SECONDS):
            reader, writer = await asyncio.open_connection(*address)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {address[0]}\r\n".encode())
                writer.write(b"Connection: close\r\n\r\n")
                answer = await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError) as error:
        return type(error).__name__, str(error)
    return answer[9:12].decode() or "no answer", answer.decode()


async def storm(address: tuple[str, int], total: int, at_once: int, paths: list[str]) -> dict:
    """Ask so many probes, so many at once."""
    waiting = islice(cycle(paths), total)
    statuses: Counter[str] = Counter()
    slowest = 0.0
    wrong: list[str] = []

    async def client() -> None:
        nonlocal slowest
        for path in waiting:
            began = time.monotonic()
            status, said = await ask(address, path)
            statuses[status] += 1
            if status != "200":
                wrong.append(said)
            slowest = max(slowest, time.monotonic() - began)

    began = time.monotonic()
    await asyncio.gather(*(client() for _ in range(at_once)))
    return {
        "statuses": statuses,
        "slowest": slowest,
        "seconds": time.monotonic() - began,
        "wrong": wrong[-3:],
    }


if __name__ == "__main__":
    host, port, total, at_once, *paths = sys.argv[1:]
    print(json.dumps(asyncio.run(storm((host, int(port)), int(total), int(at_once), paths))))
