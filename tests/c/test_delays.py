# SPDX-License-Identifier: MIT
"""Where the time of requests goes, as /metrics tells: each part grows with what is slow, alone."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

import pytest
from slowness import slowness
from test_serving import build

BIG = 32 << 20  # bytes: more than both sockets' buffers take
BUSY_S = 2  # ROUTE_SLEEP of served.c
PARTS = ["turn", "request", "python", "python_wake_up", "full_socket"]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("delays")
    files = folder / "files"
    files.mkdir()
    (files / "big").write_bytes(bytes(BIG))
    (files / "small").write_bytes(b"x")
    program = build(folder, "serve", [], {"VHTTP_COLD_WAIT_MS": 60000})
    with subprocess.Popen(
        [program, files, "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdin
        yield int(process.stdout.readline().rsplit(":", 1)[1].rstrip("/\n"))
        process.stdin.close()
        assert process.wait(30) == 0


def get(port: int, path: str) -> str:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def longer(port: int) -> dict[str, int]:
    """How often each part took longer than a second, by the buckets of its histogram."""
    text = get(port, "/metrics")
    found = {}
    for part in PARTS:
        counts = re.findall(
            rf'^viperhttp_{part}_seconds_bucket{{le="(.*)"}} (\d+)$', text, re.MULTILINE
        )
        assert [bound for bound, _ in counts][-2:] == ["1.000", "+Inf"]
        numbers = [int(count) for _, count in counts]
        assert numbers == sorted(numbers)
        assert f"viperhttp_{part}_seconds_count {numbers[-1]}\n" in text
        found[part] = numbers[-1] - numbers[-2]
    return found


def test_python_that_computes_is_told_of(port: int) -> None:
    before = longer(port)
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(get, port, "/sleep")
        while longer(port)["python_wake_up"] == before["python_wake_up"] and not busy.done():
            get(port, "/body")  # stands behind it, once it has begun
        busy.result()
    after = longer(port)
    assert after["python"] > before["python"]
    assert after["request"] > before["request"]
    assert after["full_socket"] == before["full_socket"]


def test_a_client_that_does_not_read_is_told_of(port: int) -> None:
    before = longer(port)
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        time.sleep(1.5)  # not reading is what is tested
        while peer.recv(1 << 20):
            pass
    deadline = time.monotonic() + 10 * slowness()
    while longer(port)["request"] == before["request"]:
        assert time.monotonic() < deadline
    after = longer(port)
    assert after["full_socket"] > before["full_socket"]
    assert after["python"] == before["python"]


def test_what_is_quick_is_in_the_lowest_bucket(port: int) -> None:
    get(port, "/small")
    get(port, "/small")
    text = get(port, "/metrics")
    quick = re.search(r'^viperhttp_request_seconds_bucket{le="0.003"} (\d+)$', text, re.MULTILINE)
    assert quick and int(quick[1]) > 0
