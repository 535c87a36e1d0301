# SPDX-License-Identifier: MIT
"""Load on a web server, and what comes of it."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import time

from viper.base.errors import UserError

CONNECTIONS = 8
RUN_S = 1  # a slice of time; several are taken in turn
_PAUSE_S = 0.001  # between two requests whose time is taken


def rate(port: int, path: str, connections: int = CONNECTIONS, run_s: int = RUN_S) -> float:
    """Requests per second over kept connections, asked for by wrk on one thread.

    Raises:
        UserError: wrk is not installed.
    """
    command = ["wrk", "-t1", f"-c{connections}", f"-d{run_s}s", f"http://127.0.0.1:{port}{path}"]
    try:
        report = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise UserError(
            "the load comes from wrk, which is missing", "apt-get install wrk"
        ) from None
    found = re.search(r"Requests/sec:\s+([\d.]+)", report)
    assert found and "Non-2xx" not in report and "Socket errors" not in report, report
    return float(found[1])


def latency(port: int, path: str, share: float, requests: int) -> float:
    """The time, in milliseconds, within which a share of single requests has its answer.

    They come one after the other, on connections in turn, and leave the server idle in between.
    """
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    times = []
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(connect(port)) for _ in range(CONNECTIONS)]
        for number in range(requests):
            peer = peers[number % CONNECTIONS]
            started = time.perf_counter()
            peer.sendall(request)
            _read_answer(peer)
            times.append(time.perf_counter() - started)
            time.sleep(_PAUSE_S)
    return sorted(times)[round(share * requests) - 1] * 1000


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def received(peer: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    return b"".join(iter(lambda: peer.recv(65536), b""))


def _read_answer(peer: socket.socket) -> None:
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += peer.recv(65536)
    head, _, content = answer.partition(b"\r\n\r\n")
    found = re.search(rb"(?i)content-length: (\d+)", head)
    assert found and head.startswith(b"HTTP/1.1 200"), head
    left = int(found[1]) - len(content)
    while left > 0:
        left -= len(peer.recv(65536))
