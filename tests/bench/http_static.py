# SPDX-License-Identifier: MIT
"""Static files, beside the servers that the field knows, and while Python is busy."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from tests.bench.figure import Figure, alternate
from tests.bench.http_board import Board, board
from tests.bench.http_load import connect, latency, rate
from tests.bench.http_peers import PEERS, is_there, serving
from tests.project import Project

SIZES = {"1 KB": 1024, "100 KB": 102_400}
PROMISES = {("1 KB", "lighttpd"): "≥ 1", ("1 KB", "nginx"): "≥ 1.4", ("100 KB", "nginx"): "≥ 1"}
MANY = (1, 8, 50, 200, 500)  # connections
IDLE = 500
REQUESTS = 2000  # whose time is taken

SERVE = """
import viperhttp
app = viperhttp.ViperHTTP()
app.mount("/", "/www")
app.start(port=80)
"""
BUSY = (
    SERVE
    + """
import time
while True:
    end = time.ticks_add(time.ticks_ms(), 200)
    while time.ticks_diff(end, time.ticks_ms()) > 0:
        pass
    time.sleep_ms(1)
"""
)


def figures(project: Project) -> list[Figure]:
    www = project.path("assets/www")
    for name, size in SIZES.items():
        (www / path_of(name)[1:]).write_bytes(bytes(i * i % 95 + 32 for i in range(size)))
    with ExitStack() as stack:
        served = stack.enter_context(board(project))
        served.run(SERVE)
        ports = {"ViperHTTP": served.port}
        folder = project.folder.parent
        for name in filter(is_there, PEERS):
            ports[name] = stack.enter_context(serving(name, www, folder))
        return [*rates(ports), *connections(served.port), *latencies(served, ports)]


def path_of(name: str) -> str:
    return "/" + name.replace(" ", "") + ".txt"


def rates(ports: dict[str, int]) -> list[Figure]:
    """Requests per second, and ours in relation to each peer's."""
    found = []
    for name in SIZES:

        def measure(port: int, path: str = path_of(name)) -> Callable[[], float]:
            return lambda: rate(port, path)

        medians = alternate([measure(port) for port in ports.values()])
        for server, value in zip(ports, medians, strict=True):
            found.append(Figure(f"{name} static, {server}", value, "/s"))
        for server, value in list(zip(ports, medians, strict=True))[1:]:
            promise = PROMISES.get((name, server), "")
            found.append(Figure(f"  ViperHTTP / {server}", medians[0] / value, "×", promise))
    return found


def connections(port: int) -> list[Figure]:
    """The rate with few connections and with many: one alone cannot keep a server busy, and from
    the best rate on more of them are no reason to be slower."""

    def measure(count: int) -> Callable[[], float]:
        return lambda: rate(port, path_of("1 KB"), count)

    values = alternate([measure(count) for count in MANY], runs=5)
    best = max(values)
    lowest = min(values[values.index(best) :])
    return [
        *[
            Figure(f"1 KB static, {count} connections", value, "/s")
            for count, value in zip(MANY, values, strict=True)
        ],
        Figure("  the lowest rate with more / the best", lowest / best * 100, "%", "≥ 70"),
    ]


def latencies(served: Board, ports: dict[str, int]) -> list[Figure]:
    """How long single requests take while Python is busy, with idle connections beside them."""
    served.run(BUSY)

    def alone(port: int = served.port) -> float:
        return latency(port, path_of("1 KB"), 0.99, REQUESTS)

    def among_idle() -> float:
        with ExitStack() as stack:
            for _ in range(IDLE):
                stack.enter_context(connect(served.port))
            return alone()

    peers = {name: port for name, port in ports.items() if name == "lighttpd"}
    measures = [alone, among_idle, *[lambda port=port: alone(port) for port in peers.values()]]
    plain, crowded, *others = alternate(measures, runs=5)
    return [
        Figure("1 KB static, 99th percentile, Python busy", plain, "ms", "< 5"),
        Figure(f"  with {IDLE} idle connections", crowded, "ms"),
        Figure("  with them / without", crowded / plain, "×", "0.8 to 1.2"),
        *[
            Figure(f"  {name}, beside the same busy Python", value, "ms")
            for name, value in zip(peers, others, strict=True)
        ],
    ]
