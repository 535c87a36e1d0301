# SPDX-License-Identifier: MIT
"""What a JSON route costs: beside Microdot on the same MicroPython, among many routes, and when
handlers wait."""

from __future__ import annotations

import importlib.util
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from tests.bench.figure import Figure, alternate
from tests.bench.http_board import Board, board
from tests.bench.http_load import connect, rate, received
from tests.bench.http_peers import free_port
from tests.project import Project

ROUNDS = 5

OURS = """
import viperhttp
app = viperhttp.ViperHTTP()
for i in range({routes}):
    app.get("/group%d/route%d" % (i % 20, i))(lambda: i)
@app.get("/json")
def light():
    return {{"status": "ok", "value": 42}}
app.start(port=80)
"""

WAITING = """
import asyncio, viperhttp
app = viperhttp.ViperHTTP()
@app.get("/json")
async def wait():
    await asyncio.sleep(1)
    return {"status": "ok", "value": 42}
app.start(port=80)
"""

MICRODOT = """
from microdot import Microdot
app = Microdot()
@app.get("/json")
async def light(request):
    return {{"status": "ok", "value": 42}}
app.run(port={port})
"""


def figures(project: Project) -> list[Figure]:
    with board(project) as served:
        return [*beside_microdot(served), *among_routes(served), *waiting(served)]


def rate_of(served: Board, routes: int) -> float:
    served.run(OURS.format(routes=routes))
    return rate(served.port, "/json")


def beside_microdot(served: Board) -> list[Figure]:
    package = importlib.util.find_spec("microdot")
    if package is None or package.origin is None:
        print("no Microdot to compare with: pip install microdot", file=sys.stderr)
        return [Figure("python_light", rate_of(served, 0), "/s")]
    served.mpremote("cp", str(Path(package.origin).with_name("microdot.py")), ":")
    port = free_port()

    def theirs() -> float:
        served.run(MICRODOT.format(port=port), port)
        return rate(port, "/json")

    mine, microdots = alternate([lambda: rate_of(served, 0), theirs], ROUNDS)
    return [
        Figure("python_light", mine, "/s"),
        Figure("python_light, Microdot", microdots, "/s"),
        Figure("  ViperHTTP / Microdot", mine / microdots, "×", "≥ 5"),
    ]


def among_routes(served: Board) -> list[Figure]:
    few, many = alternate([lambda: rate_of(served, 10), lambda: rate_of(served, 1000)], ROUNDS)
    return [Figure("a route among 10 / among 1,000", few / many, "×", "≤ 1.3")]


def waiting(served: Board) -> list[Figure]:
    served.run(WAITING)
    return [
        Figure("100 handlers that wait 1 s, together", together(served.port, 100), "s", "≤ 1.5")
    ]


def together(port: int, clients: int) -> float:
    """Seconds until all of `clients` have an answer that takes each handler a second."""
    request = b"GET /json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with ExitStack() as stack:
        peers = [stack.enter_context(connect(port)) for _ in range(clients)]
        started = time.perf_counter()
        for peer in peers:
            peer.sendall(request)
        for peer in peers:
            answer = received(peer)
            assert answer.startswith(b"HTTP/1.1 200"), answer
        return time.perf_counter() - started
