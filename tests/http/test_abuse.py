# SPDX-License-Identifier: MIT
"""What a server on a network has to bear. After each test it answers, and its descriptors and its
memory are where they were."""

from __future__ import annotations

import contextlib
import random
import re
import resource
import select
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import serial
from served_app import ServedApp, running_app
from viper.virtual_board import control

MALFORMED = 10_000
AT_ONCE = 50
HEALTH = b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
PATIENCE_S = 1.0
SETTLED_S = 20.0  # by then lingering connections are over
GROWTH_KIB = 1024  # of the process, for what the C library keeps
HEAP_GROWTH = 65536  # bytes of Python's heap, likewise: its tables do not shrink


@pytest.fixture(scope="module")
def app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedApp]:
    with running_app(request, tmp_path_factory.mktemp("abuse"), "abuse_app.py") as app:
        yield app


@dataclass(frozen=True)
class Footprint:
    """What the server takes up: bytes of Python's heap, and what its process has
    taken of the system, where there is one."""

    heap: int
    descriptors: int = 0
    taken_kib: int = 0


def footprint(app: ServedApp) -> Footprint:
    heap = httpx.get(f"{app.address}/heap", timeout=60).json()
    if app.board is None:
        return Footprint(heap)
    board = control.running(app.board)
    assert board
    children = Path(f"/proc/{board.pid}/task/{board.pid}/children").read_text().split()
    (process,) = [Path("/proc", child) for child in children]
    taken = re.search(r"VmData:\s+(\d+) kB", (process / "status").read_text())
    assert taken
    return Footprint(heap, len(list((process / "fd").iterdir())), int(taken[1]))


def settled(app: ServedApp, descriptors: int, heap: int = sys.maxsize) -> Footprint:
    """The footprint once all connections but one are over, handlers have noticed that their clients
    are gone, and so many descriptors and bytes of heap are left."""
    deadline = time.monotonic() + SETTLED_S
    while True:
        found = footprint(app)
        is_over = metric(app, "connections_open") == 1
        if is_over and found.descriptors <= descriptors and found.heap <= heap:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


@pytest.fixture(scope="module")
def at_first(app: ServedApp) -> Footprint:
    many_at_once(app, 1000)  # so that what grows once, as tables do, has grown
    return settled(app, sys.maxsize)


@pytest.fixture(autouse=True)
def unharmed(app: ServedApp, at_first: Footprint) -> Iterator[None]:
    yield
    found = settled(app, at_first.descriptors, at_first.heap + HEAP_GROWTH)
    assert found.taken_kib <= at_first.taken_kib + GROWTH_KIB
    assert httpx.get(f"{app.address}/", timeout=60).status_code == 200


def metric(app: ServedApp, name: str) -> int:
    text = httpx.get(f"{app.address}/metrics", timeout=60).text
    found = re.search(rf"^viperhttp_{name} (\d+)$", text, re.MULTILINE)
    assert found
    return int(found[1])


def connect(app: ServedApp) -> socket.socket:
    address = urlsplit(app.address)
    assert address.hostname
    return socket.create_connection((address.hostname, address.port or 80), timeout=20)


def received(peer: socket.socket) -> bytes:
    """All that comes until the server closes, or breaks off."""
    answer = b""
    with contextlib.suppress(ConnectionError):
        while part := peer.recv(65536):
            answer += part
    return answer


def exchange_all(app: ServedApp, requests: Iterable[bytes]) -> list[bytes]:
    """The answers to requests that are sent at once, each on a connection of its own."""
    with contextlib.ExitStack() as stack:
        peers = []
        for request in requests:
            peer = stack.enter_context(connect(app))
            peers.append(peer)
            with contextlib.suppress(ConnectionError):
                peer.sendall(request)
                peer.shutdown(socket.SHUT_WR)
        return [received(peer) for peer in peers]


def mutations(count: int) -> Iterator[bytes]:
    """Requests that were damaged, each a bit differently, by what a network and its people do."""
    whole = (
        b"POST /a?b HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    )
    chance = random.Random(7)

    def replace(request: bytearray) -> None:
        request[chance.randrange(len(request))] = chance.randrange(256)

    def remove(request: bytearray) -> None:
        at = chance.randrange(len(request))
        del request[at : at + chance.randint(1, 9)]

    def repeat(request: bytearray) -> None:
        at = chance.randrange(len(request))
        request[at:at] = request[at : at + chance.randint(1, 30)] * chance.randint(1, 4)

    def insert(request: bytearray) -> None:
        at = chance.randrange(len(request) + 1)
        request[at:at] = chance.choice([b"\0", b"\r", b"\n", b" ", b"\t", b"%", b":", b"\xff" * 99])

    kinds: list[Callable[[bytearray], None]] = [replace, remove, repeat, insert]
    for _ in range(count):
        request = bytearray(whole)
        for _ in range(chance.randint(1, 5)):
            chance.choice(kinds)(request)
        yield bytes(request)


def test_malformed_requests(app: ServedApp) -> None:
    at_once = min(AT_ONCE, metric(app, "connections_max") // 2)
    requests = list(mutations(MALFORMED))
    for start in range(0, MALFORMED, at_once):
        batch = requests[start : start + at_once]
        for request, answer in zip(batch, exchange_all(app, batch), strict=True):
            # No answer: a request that ends before it is complete. Two: it was cut in two.
            answers = answer.count(b"HTTP/1.1 ")
            assert answers == len(re.findall(rb"HTTP/1\.1 (?:[45]\d\d|204) ", answer)), request


def many_at_once(app: ServedApp, count: int) -> None:
    """So many connections that begin at once, each with a request.

    The system's queue of new ones is short, and it lets those wait for seconds that overflow it.
    """
    address = urlsplit(app.address)
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(socket.socket()) for _ in range(count)]
        for peer in peers:
            peer.setblocking(False)
            peer.connect_ex((address.hostname, address.port or 80))
        waiting = set(peers)
        answers = dict.fromkeys(peers, b"")
        poll = select.epoll()
        stack.callback(poll.close)
        by_number = {peer.fileno(): peer for peer in peers}
        for peer in peers:
            poll.register(peer, select.EPOLLOUT)
        while waiting:
            ready = poll.poll(PATIENCE_S)
            if not ready:
                break
            for number, event in ready:
                peer = by_number[number]
                if event & select.EPOLLOUT:
                    peer.sendall(HEALTH)
                    poll.modify(peer, select.EPOLLIN)
                elif part := peer.recv(65536):
                    answers[peer] += part
                else:
                    poll.unregister(peer)
                    waiting.remove(peer)
    answered = [answer for answer in answers.values() if answer]
    assert all(answer.endswith(b'{"status":"ok"}\n') for answer in answered)
    # Of more than there are places for, the system lets most wait longer than this.
    assert len(answered) >= min(count // 2, metric(app, "connections_max"))


def test_a_thousand_connects_at_once(app: ServedApp) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2048:
        pytest.skip("needs 2048 descriptors: ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    many_at_once(app, 1000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def reset(peer: socket.socket) -> None:
    """Break off, as a device does whose power goes."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


BEGINNINGS = {
    "nothing": b"",
    "half a head": b"GET / HTTP/1.1\r\nHo",
    "half a body": b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc",
    "a request": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a call": b"GET /heap HTTP/1.1\r\nHost: a\r\n\r\n",
    "a stream": b"GET /flood HTTP/1.1\r\nHost: a\r\n\r\n",
}


@pytest.mark.parametrize("sent", BEGINNINGS.values(), ids=BEGINNINGS.keys())
def test_clients_that_break_off(app: ServedApp, sent: bytes) -> None:
    for _ in range(100):
        peer = connect(app)
        peer.sendall(sent)
        reset(peer)


@pytest.mark.parametrize("sent", BEGINNINGS.values(), ids=BEGINNINGS.keys())
def test_clients_that_send_no_more(app: ServedApp, sent: bytes) -> None:
    """Who closes one half of a connection has the answers to what was complete."""
    expected = b"HTTP/1.1 200 " if sent.startswith(b"GET") and sent.endswith(b"\r\n\r\n") else b""
    for answer in exchange_all(app, [sent] * 5):
        assert answer.startswith(expected) if expected else not answer


def test_slow_readers_and_writers(app: ServedApp) -> None:
    """They keep their places, and others do not wait for them."""
    half = metric(app, "connections_max") // 2
    with contextlib.ExitStack() as stack:
        for number in range(min(40, half)):
            peer = stack.enter_context(connect(app))
            sent = list(BEGINNINGS.values())[1 + number % 5]
            peer.sendall(sent)
        for _ in range(20):
            assert httpx.get(f"{app.address}/", timeout=60).status_code == 200
            assert httpx.get(f"{app.address}/heap", timeout=60).status_code == 200


def test_handler_that_never_returns(app: ServedApp) -> None:
    board = control.running(app.virtual_board("Ctrl-C on its serial port"))
    assert board
    assert httpx.get(f"{app.address}/", timeout=60).status_code == 200  # into the cache
    with connect(app) as peer:
        peer.sendall(b"GET /never HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while httpx.get(f"{app.address}/heap", timeout=60).status_code != 503:
            pass  # until it runs, others are before it
        assert httpx.get(f"{app.address}/health", timeout=60).json() == {"status": "ok"}
        assert httpx.get(f"{app.address}/", timeout=60).status_code == 200
        with serial.serial_for_url(f"{board.port_url}?ign_set_control", timeout=10) as port:
            port.write(b"\x03")
            assert port.read_until(b"KeyboardInterrupt").endswith(b"KeyboardInterrupt")
        assert received(peer).startswith(b"HTTP/1.1 500 ")
