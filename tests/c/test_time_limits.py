# SPDX-License-Identifier: MIT
"""Time limits of the core, made short, and how long a changed file can go unseen."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from slowness import slowness
from test_serving import build

SEND_TIMEOUT_S = 0.4
REVALIDATE_S = 0.4
SETTINGS = {
    "VHTTP_HEADER_TIMEOUT_MS": 200,
    "VHTTP_BODY_TIMEOUT_MS": 200,
    "VHTTP_IDLE_TIMEOUT_MS": 200,
    "VHTTP_SEND_TIMEOUT_MS": 400,
    "VHTTP_STATIC_REVALIDATE_MS": 400,
}
BIG = 32 << 20  # bytes: more than both sockets' buffers take


@dataclass(frozen=True)
class Served:
    folder: Path
    port: int

    def connect(self, receive_buffer: int = 0) -> socket.socket:
        peer = socket.socket()
        peer.settimeout(10)
        if receive_buffer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        peer.connect(("127.0.0.1", self.port))
        return peer

    def metric(self, name: str) -> int:
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            found = re.search(rf"^viperhttp_{name} (\d+)$", answer.read().decode(), re.MULTILINE)
        assert found
        return int(found[1])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    files = folder / "files"
    files.mkdir()
    (files / "big").write_bytes(bytes(BIG))
    program = build(folder, "serve", [], SETTINGS)
    with subprocess.Popen(
        [program, files, "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdin
        yield Served(files, int(process.stdout.readline().rsplit(":", 1)[1].rstrip("/\n")))
        process.stdin.close()
        assert process.wait(10) == 0


def until_closed(peer: socket.socket) -> bytes:
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while part := peer.recv(65536):
            answer += part
    return answer


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", b""),
        (b"GET / HTTP/1.1\r\nHo", b"408"),
        (b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc", b"408"),
        (b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n", b"200"),
    ],
    ids=["idle", "half a head", "half a body", "idle after a request"],
)
def test_who_sends_no_more_is_closed(served: Served, sent: bytes, status: bytes) -> None:
    with served.connect() as peer:
        peer.sendall(sent)
        started = time.monotonic()
        answer = until_closed(peer)
        assert answer[9:12] == status
        assert 0.15 < time.monotonic() - started < 5 * slowness()


def test_who_reads_nothing_is_dropped(served: Served) -> None:
    with served.connect(receive_buffer=65536) as peer:
        peer.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        timeouts = served.metric("timeouts_total")
        deadline = time.monotonic() + 10 * SEND_TIMEOUT_S * slowness()
        while served.metric("timeouts_total") == timeouts:
            assert time.monotonic() < deadline
        assert len(until_closed(peer)) < BIG


def test_who_reads_slowly_is_not(served: Served) -> None:
    """Less in each time limit than what makes the socket report room."""
    timeouts = served.metric("timeouts_total")
    with served.connect(receive_buffer=65536) as peer:
        peer.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        until = time.monotonic() + 4 * SEND_TIMEOUT_S
        while time.monotonic() < until:
            assert peer.recv(65536)
            time.sleep(SEND_TIMEOUT_S / 4)  # being slow is what is tested
        assert served.metric("timeouts_total") == timeouts


@pytest.mark.parametrize("is_hot", [True, False], ids=["asked for all the time", "asked for once"])
def test_changed_file_is_seen_in_time(served: Served, is_hot: bool) -> None:
    path = served.folder / ("hot.txt" if is_hot else "cold.txt")
    url = f"http://127.0.0.1:{served.port}/{path.name}"

    def get() -> bytes:
        with urlopen(url, timeout=10) as answer:
            content: bytes = answer.read()
        return content

    path.write_bytes(b"old")
    assert get() == b"old"
    path.write_bytes(b"new")
    until = time.monotonic() + REVALIDATE_S
    while time.monotonic() < until:
        if is_hot:
            get()
        time.sleep(0.002)  # the time itself is what is tested
    assert get() == b"new"
