"""What a JSON route costs: beside Microdot on the same MicroPython, among many routes, and when
handlers wait. `python -m tests.bench.http_routes` prints the figures.

Each figure is a ratio from one run, or a time that does not depend on the machine's speed.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from viper.virtual_board import control

from tests.project import ROOT, copy_project

CONNECTIONS = 8
RUN_S = 2
ROUNDS = 3

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


class Board:
    """A virtual board with this project's firmware."""

    def __init__(self, stack: ExitStack) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="viperhttp-bench-")))
        project = copy_project(ROOT, folder / "project")
        project.scons("flash", "PORT=virtual:bench")
        self.state = project.path(".viper/boards/bench")
        stack.callback(control.stop, self.state)
        board = control.running(self.state)
        assert board
        self.serial = f"{board.port_url}?ign_set_control"
        self.port = board.http_port

    def mpremote(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", self.serial, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def run(self, script: str, port: int) -> None:
        """Run a script until the next one, once it listens on `port`."""
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write(script)
            file.flush()
            self.mpremote("run", "--no-follow", file.name)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline:
                    raise


def rate(port: int) -> float:
    """Requests per second for /json."""
    result = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{RUN_S}s", f"http://127.0.0.1:{port}/json"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert "Non-2xx" not in result and "Socket errors" not in result, result
    found = re.search(r"Requests/sec:\s+([\d.]+)", result)
    assert found, result
    return float(found[1])


def compare(first: Callable[[], float], second: Callable[[], float]) -> tuple[float, float]:
    """The medians of two rates that are measured in turn."""
    rates: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        rates[0].append(first())
        rates[1].append(second())
    return statistics.median(rates[0]), statistics.median(rates[1])


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def received(peer: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    return b"".join(iter(lambda: peer.recv(65536), b""))


def together(port: int, clients: int) -> float:
    """Seconds until all of `clients` have an answer that takes each handler a second."""
    request = b"GET /json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with ExitStack() as stack:
        peers = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            for _ in range(clients)
        ]
        started = time.perf_counter()
        for peer in peers:
            peer.sendall(request)
        for peer in peers:
            answer = received(peer)
            assert answer.startswith(b"HTTP/1.1 200"), answer
        return time.perf_counter() - started


def figures() -> list[tuple[str, float, str, str]]:
    """Lines of (what, value, unit, what is promised)."""
    lines = []
    with ExitStack() as stack:
        board = Board(stack)

        def ours(routes: int) -> float:
            board.run(OURS.format(routes=routes), board.port)
            return rate(board.port)

        package = importlib.util.find_spec("microdot")
        if package is None:
            print("no Microdot to compare with: pip install microdot", file=sys.stderr)
        else:
            assert package.origin
            board.mpremote("cp", str(Path(package.origin).with_name("microdot.py")), ":")
            port = free_port()

            def theirs() -> float:
                board.run(MICRODOT.format(port=port), port)
                return rate(port)

            mine, microdots = compare(lambda: ours(0), theirs)
            lines += [
                ("python_light", mine, "/s", ""),
                ("python_light, Microdot", microdots, "/s", ""),
                ("python_light / Microdot", mine / microdots, "×", "≥ 5"),
            ]
        few, many = compare(lambda: ours(10), lambda: ours(1000))
        lines.append(("a route among 10 / among 1,000", few / many, "×", "≤ 1.3"))
        board.run(WAITING, board.port)
        lines.append(("100 handlers that wait 1 s", together(board.port, 100), "s", "≤ 1.5"))
    return lines


def main() -> None:
    if shutil.which("wrk") is None:
        sys.exit("this needs wrk: apt install wrk")
    for what, value, unit, promise in figures():
        print(f"{what:32} {value:10.4g} {unit:3} {promise}")


if __name__ == "__main__":
    main()
