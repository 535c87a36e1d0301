# SPDX-License-Identifier: MIT
"""The life of a call, as docs/design.md draws it, explored: clients, server, interpreter and clock.

The server is the real core of puppet.c, with four connections, short rings and the sanitizers; the
machine here plays everybody else, one step at a time. What must hold:

- a client reads whole answers in the order of its requests, and nothing else. An answer that is cut
  short or missing had a reason: a time limit, a crowd, a reset, an interpreter that broke off or
  did not look;
- the interpreter hears of each call once, then of its body in full, then of its end at most once;
- no more content is asked for than the window holds;
- in the end every connection is free again, and serves.

Among the long matrices it is explored for CALL_LIFE_S seconds, 60 unless that is set.
"""

from __future__ import annotations

import functools
import os
import re
import socket
import struct
import subprocess
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import hypothesis.strategies as st
import pytest
from c_program import SANITIZERS, THREAD_SANITIZER
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from slowness import slowness
from test_serving import build
from viper.source.module_settings import Value

SLOTS = 4
WINDOW = 8192
TURN_MS = 500
PATIENCE_MS = 500  # the shortest time limit before an answer, VHTTP_COLD_WAIT_MS
READING_MS = 10_000  # and within one
SEND_TIMEOUT_MS = 15_000
LIMITS: dict[str, Value] = {
    "VHTTP_MAX_CONNECTIONS": SLOTS,
    "VHTTP_LISTEN_BACKLOG": 64,  # who opens and leaves waits there too
    "VHTTP_WINDOW_SIZE": WINDOW,
    "VHTTP_REQUEST_HEAD_MAX": 1024,
    "VHTTP_IPC_REQUEST_RINGBUF_SIZE": 4096,
    "VHTTP_IPC_RINGBUF_SIZE_PSRAM": 16384,
    "VHTTP_CACHE_SIZE_PSRAM": 65536,
}
SMALL_RING = 1000  # bytes that clients may have sent to the request ring without a 503
FILES = {"small": b"s" * 100, "middling": b"m" * 20_000, "large": b"l" * 200_000}
REASONS = {404: "Not Found", 500: "Internal Server Error", 503: "Service Unavailable"}
HEALTH = b'{"status":"ok"}\n'
PATTERN = bytes(ord("a") + i % 23 for i in range(400_000))


class Puppet:
    """The program of puppet.c."""

    def __init__(self, program: Path, folder: Path) -> None:
        for name, content in FILES.items():
            (folder / name).write_bytes(content)
        self.folder = folder
        self.process = subprocess.Popen(
            [program, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip

    def tell(self, command: str) -> list[str]:
        """The lines that answer a command; the last one without its dot."""
        assert self.process.stdin and self.process.stdout and self.process.stderr
        with suppress(BrokenPipeError):
            self.process.stdin.write(f"{command}\n")
        lines = []
        for line in self.process.stdout:
            lines.append(line.rstrip("\n"))
            if line.startswith("."):
                lines[-1] = lines[-1][1:].strip()
                return lines
        raise AssertionError(f"{command}: {self.process.stderr.read()}")

    def end(self) -> None:
        """It ends, and the sanitizers have found nothing, leaks neither."""
        errors = self.process.communicate()[1]
        assert self.process.returncode == 0, errors


@dataclass
class Call:
    """What the interpreter knows of a call."""

    connection: int
    generation: int
    credit: int
    is_body_due: bool
    length: int | None = None  # of the content; None: until the end is said
    is_chunked: bool = False
    has_begun: bool = False
    written: int = 0  # bytes of content
    is_over: bool = False  # by the interpreter
    is_closed: bool = False  # by the server

    @property
    def name(self) -> str:
        return f"{self.connection} {self.generation}"


@dataclass
class Ask:
    """A request, as far as its client has sent it, and what may be said to it."""

    path: str
    method: str
    text: bytes
    body: bytes
    sent: int = 0
    is_last: bool = False  # Connection: close
    has_comments: bool = False  # before its events
    answer: tuple[int, bytes] | None = None  # what is known by now of the answer, or a piece of it

    @property
    def is_whole(self) -> bool:
        return self.sent == len(self.text)


@dataclass(repr=False)
class Client:
    """A client, and what it has read."""

    def __repr__(self) -> str:
        """Short: every step of a machine that failed prints some."""
        return f"client {self.peer.fileno()}"

    peer: socket.socket
    opened_ms: int
    asks: list[Ask] = field(default_factory=list)
    got: bytearray = field(default_factory=bytearray)
    has_ended: bool = False  # all has been read
    is_half_closed: bool = False
    may_miss: bool = False  # an answer
    may_be_cut: bool = False

    def read(self, most: int) -> None:
        try:
            piece = self.peer.recv(most)
        except BlockingIOError:
            return
        except ConnectionError:
            piece = b""
        self.got += piece
        self.has_ended = not piece


def answers_in(
    got: bytes, asks: list[Ask], has_ended: bool
) -> Iterator[tuple[int, bytes, bool, bool]]:
    """Status, content, whether it is whole, and whether it was the last, of each answer."""
    at = 0
    for ask in asks:
        while True:
            end = got.find(b"\r\n\r\n", at)
            if end < 0:
                return
            head = got[at:end].decode()
            at = end + 4
            status = int(head.split(" ", 2)[1])
            if status != 100:
                break
        is_last = "\r\nConnection: close" in head
        length = re.search(r"\r\nContent-Length: (\d+)", head)
        # A head that did not come to its end is nobody's HEAD yet.
        if (ask.method == "HEAD" and status != 408) or status in (204, 304):
            content, is_whole = b"", True
        elif "Transfer-Encoding: chunked" in head:
            content, is_whole, at = chunks_in(got, at)
        elif length:
            content = got[at : at + int(length[1])]
            is_whole = len(content) == int(length[1])
            at += len(content)
        else:
            content, is_whole, at = got[at:], has_ended, len(got)
        yield status, content, is_whole, is_last
        if not is_whole:
            return
    assert at == len(got), f"behind the answers: {got[at : at + 100]!r}"


def chunks_in(got: bytes, at: int) -> tuple[bytes, bool, int]:
    content = b""
    while (end := got.find(b"\r\n", at)) >= 0:
        size = int(got[at:end], 16)
        piece = got[end + 2 : end + 2 + size]
        content += piece
        if len(got) < end + 2 + size + 2:
            return content, False, len(got)
        assert got[end + 2 + size : end + 4 + size] == b"\r\n"
        at = end + 4 + size
        if size == 0:
            return content, True, at
    return content, False, len(got)


PICKS = st.integers(0, 999)
SENT_AT_FIRST = st.sampled_from([1_000_000, 1_000_000, 60, 10])
One = TypeVar("One")


def one_of(some: list[One], pick: int) -> One | None:
    """The one that a number picks; None of none."""
    return some[pick % len(some)] if some else None


class CallLife(RuleBasedStateMachine):
    """Everybody but the server."""

    def __init__(self, puppets: Puppets) -> None:
        super().__init__()
        self.puppet = puppets.take()
        self.patience_s = puppets.patience_s
        self.clock_ms = 0
        self.numbers = 0
        self.unlooked = 0  # bytes sent since the interpreter last looked
        self.clients: list[Client] = []
        self.calls: dict[str, Call] = {}
        self.paths: dict[str, str] = {}  # by the name of a call
        self.asked: dict[str, tuple[Client, Ask]] = {}  # by path
        self.start()

    def start(self) -> None:
        self.port = int(self.puppet.tell("start")[-1].split()[1])
        self.calls = {}
        self.paths = {}

    def sync(self) -> int:
        return int(self.puppet.tell("sync")[-1].split()[1])

    # ---- Clients

    def open(self) -> Client:
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect(("127.0.0.1", self.port))
        peer.setblocking(False)
        client = Client(peer, self.clock_ms)
        self.clients.append(client)
        return client

    @property
    def is_crowded(self) -> bool:
        return len(self.clients) > SLOTS

    def excuse(self) -> None:
        """Tell what the clients of now have to put up with."""
        for client in self.clients:
            if self.is_crowded or self.unlooked > SMALL_RING:
                client.may_miss = True
                client.may_be_cut |= client.is_half_closed
            client.may_miss |= self.clock_ms - client.opened_ms >= PATIENCE_MS
            client.may_be_cut |= self.clock_ms - client.opened_ms >= READING_MS

    def askers(self) -> list[Client]:
        return [
            client for client in self.clients
            if not client.is_half_closed and len(client.asks) < 4
            and all(ask.is_whole and not ask.is_last for ask in client.asks)
        ]  # fmt: skip

    def senders(self) -> list[Client]:
        return [
            client for client in self.clients
            if not client.is_half_closed and client.asks and not client.asks[-1].is_whole
        ]  # fmt: skip

    def readers(self) -> list[Client]:
        return [client for client in self.clients if client.asks and not client.has_ended]

    # What is drawn never depends on what the server did, for that may differ from run to run: a
    # number picks one of those that there are, and where there are none a client comes and calls.

    @initialize(
        count=st.integers(1, SLOTS), is_crowd_allowed=st.booleans(), is_wait_allowed=st.booleans()
    )
    def begins(self, count: int, is_crowd_allowed: bool, is_wait_allowed: bool) -> None:
        """Without a crowd and long waits hardly any answer may be missed."""
        self.clients_max = SLOTS + 3 if is_crowd_allowed else SLOTS
        self.is_wait_allowed = is_wait_allowed
        for _ in range(count):
            self.somebody_calls()
        self.interpreter_looks()

    @rule()
    def somebody_calls(self) -> None:
        if len(self.clients) < self.clients_max:
            self.open()
            self.numbers += 1
            self.ask(-1, "GET", f"/call/{self.numbers}", [], b"", is_last=False)

    @rule()
    def client_opens(self) -> None:
        if len(self.clients) < self.clients_max:
            self.open()
            self.excuse()
            self.sync()

    @rule(
        pick=PICKS,
        size=st.sampled_from([0, 1, 700, 3000]),
        method=st.sampled_from(["GET", "HEAD", "POST", "POST"]),
        is_last=st.booleans(),
        expects=st.booleans(),
        most=SENT_AT_FIRST,
    )
    def client_calls(
        self, pick: int, method: str, size: int, is_last: bool, expects: bool, most: int
    ) -> None:
        self.numbers += 1
        body = PATTERN[self.numbers : self.numbers + size] if method == "POST" else b""
        fields = [f"Content-Length: {len(body)}"] if method == "POST" else []
        fields += ["Expect: 100-continue"] if body and expects else []
        self.ask(pick, method, f"/call/{self.numbers}", fields, body, is_last, most)

    @rule(
        pick=PICKS,
        name=st.sampled_from(["health", "none", *FILES]),
        method=st.sampled_from(["GET", "GET", "HEAD"]),
        is_last=st.booleans(),
        most=SENT_AT_FIRST,
    )
    def client_fetches(self, pick: int, name: str, method: str, is_last: bool, most: int) -> None:
        answer = (200, FILES[name]) if name in FILES else (404, b"404 Not Found\n")
        answer = (200, HEALTH) if name == "health" else answer
        self.ask(pick, method, f"/{name}", [], b"", is_last, most, answer)

    def ask(
        self,
        pick: int,
        method: str,
        path: str,
        fields: list[str],
        body: bytes,
        is_last: bool,
        most: int = 1_000_000,
        answer: tuple[int, bytes] | None = None,
    ) -> None:
        client = one_of(self.askers(), pick)
        if client is None:
            return self.somebody_calls()
        lines = [f"{method} {path} HTTP/1.1", "Host: a", *fields]
        lines += ["Connection: close"] if is_last else []
        head = "\r\n".join([*lines, "", ""]).encode()
        ask = Ask(path, method, head + body, body, is_last=is_last, answer=answer)
        client.asks.append(ask)
        self.asked[path] = (client, ask)
        self.send(client, most)

    def send(self, client: Client, most: int) -> None:
        ask = client.asks[-1]
        with suppress(BlockingIOError, ConnectionError):
            sent = client.peer.send(ask.text[ask.sent : ask.sent + most])
            ask.sent += sent
            self.unlooked += sent + 100
        self.excuse()
        self.sync()

    @rule(pick=PICKS, most=st.sampled_from([1, 100, 5000]))
    def client_sends_more(self, pick: int, most: int) -> None:
        client = one_of(self.senders(), pick)
        if client is None:
            return self.somebody_calls()
        self.send(client, most)

    @rule(pick=PICKS, most=st.sampled_from([1, 1000, 100_000, 100_000]))
    def client_reads(self, pick: int, most: int) -> None:
        client = one_of(self.readers(), pick)
        if client is None:
            return self.somebody_calls()
        client.read(most)
        self.check(client)
        self.sync()

    @rule(pick=PICKS)
    def client_closes_its_half(self, pick: int) -> None:
        some = [client for client in self.clients if not client.is_half_closed]
        client = one_of(some, pick)
        if client is None:
            return self.somebody_calls()
        client.is_half_closed = True
        client.may_be_cut |= any(ask.has_comments for ask in client.asks)  # events end with it
        with suppress(OSError):
            client.peer.shutdown(socket.SHUT_WR)
        self.excuse()
        self.sync()

    @rule(pick=PICKS, is_reset=st.booleans())
    def client_leaves(self, pick: int, is_reset: bool) -> None:
        client = one_of(self.clients, pick)
        if client is None:
            return self.somebody_calls()
        self.leave(client, is_reset)
        self.sync()

    def leave(self, client: Client, is_reset: bool) -> None:
        if is_reset:
            client.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.peer.close()
        self.clients.remove(client)

    def check(self, client: Client) -> None:
        """What a client has read is what it may have been answered."""
        got = bytes(client.got)
        whole = 0
        is_cut = is_over = False
        for status, content, is_whole, is_last in answers_in(got, client.asks, client.has_ended):
            ask = client.asks[whole]
            assert not is_over, got[-200:]
            if status in (408, 503) and (ask.answer is None or ask.answer[0] != status):
                assert client.may_miss, (ask, got)
            else:
                assert ask.answer, (ask, got)
                assert status == ask.answer[0], (ask, got)
                content = content.lstrip(b":\n") if ask.has_comments else content
                expected = b"" if ask.method == "HEAD" else ask.answer[1]
                assert expected.startswith(content), (ask.path, len(content))
                if is_whole and (client.has_ended or ask.path not in self.open_paths()):
                    assert content == expected or client.may_be_cut, (ask.path, len(content))
            is_cut = not is_whole
            is_over = is_last
            client.may_miss |= is_last
            whole += is_whole
        if client.has_ended and not client.may_miss:
            complete = sum(ask.is_whole for ask in client.asks)
            is_left = is_cut or whole < complete
            assert not is_left or client.may_be_cut, (client.asks[whole:], got[-200:])

    def open_paths(self) -> set[str]:
        return {path for path, (_, ask) in self.asked.items() if ask.answer is None}

    # ---- The interpreter

    @rule()
    def interpreter_looks(self) -> None:
        self.unlooked = 0
        for line in self.puppet.tell("take")[:-1]:
            kind, connection, generation, *words = line.split()
            name = f"{connection} {generation}"
            if kind == "call":
                assert name not in self.calls
                for other in self.calls.values():
                    assert (
                        other.connection != int(connection) or other.is_over or other.is_closed
                    ), "a call took the place of one that has not ended"
                call = Call(int(connection), int(generation), int(words[0]), words[1] == "1")
                assert call.credit == WINDOW
                self.calls[name] = call
                self.paths[name] = words[2]
                continue
            call = self.calls[name]
            assert not call.is_closed, line
            if kind == "body":
                assert call.is_body_due
                call.is_body_due = False
                body = self.asked[self.paths[name]][1].body
                assert (int(words[0]), int(words[1])) == (len(body), zlib.crc32(body))
            elif kind == "credit":
                call.credit += int(words[0])
                assert call.credit <= WINDOW
            else:
                assert kind == "close", line
                call.is_closed = True
        self.sync()

    def answerable(self, has_begun: bool) -> list[Call]:
        return [
            call for call in self.calls.values()
            if not call.is_over and not call.is_body_due and call.has_begun == has_begun
        ]  # fmt: skip

    def unanswered(self) -> list[Call]:
        return [call for call in self.calls.values() if not call.is_over]

    def say(self, command: str) -> bool:
        said = self.puppet.tell(command)[-1]
        assert said in ("ok", "full")
        return said == "ok"

    def known(self, call: Call) -> tuple[Client, Ask]:
        return self.asked[self.paths[call.name]]

    @rule(
        pick=PICKS,
        length=st.sampled_from([0, 5000, 50_000, None]),
        kind=st.sampled_from(["text/plain", "text/event-stream"]),
        is_chunked=st.booleans(),
    )
    def interpreter_begins(
        self, pick: int, length: int | None, kind: str, is_chunked: bool
    ) -> None:
        call = one_of(self.answerable(has_begun=False), pick)
        if call is None:
            return self.somebody_calls()
        client, ask = self.known(call)
        size = -1 if length is None else length
        coding = "chunked" if length is None and is_chunked else "whole"
        if self.say(f"begin {call.name} 200 {size} {coding} Content-Type: {kind}"):
            call.has_begun, call.length, call.is_chunked = True, length, coding == "chunked"
            call.is_over = length == 0
            ask.answer = (200, b"")
            ask.has_comments = length is None and kind == "text/event-stream"
            # A stream of events ends with its client.
            client.may_be_cut |= length is None and client.is_half_closed
        self.sync()

    @rule(pick=PICKS, most=st.sampled_from([1, 1000, 4000, 4000]))
    def interpreter_goes_on(self, pick: int, most: int) -> None:
        call = one_of(self.answerable(has_begun=True), pick)
        if call is None:
            return self.somebody_calls()
        self.go_on(call, most)
        self.sync()

    @rule(pick=PICKS)
    def a_window_is_written_and_read(self, pick: int) -> None:
        call = one_of(self.answerable(has_begun=True), pick)
        if call is None:
            return self.somebody_calls()
        client, _ = self.known(call)
        for _ in range(4):
            self.go_on(call, 4000)
            self.sync()
            if client in self.clients:
                client.read(WINDOW)
                self.check(client)
            self.interpreter_looks()

    def go_on(self, call: Call, most: int) -> None:
        framing = 16 if call.is_chunked else 0
        count = min(most, call.credit - framing, len(PATTERN) - call.written)
        if call.length is not None:
            count = min(count, call.length - call.written)
        if count <= 0:
            return
        _, ask = self.known(call)
        word = "chunk" if call.is_chunked else "data"
        if not self.say(f"{word} {call.name} {call.written} {count}"):
            return
        call.written += count
        ask.answer = (200, PATTERN[: call.written])
        call.credit -= count + (len(f"{count:x}") + 4 if call.is_chunked else 0)
        call.is_over = call.written == call.length

    def end(self, call: Call) -> None:
        if call.credit >= 5:  # of the last chunk
            call.is_over = self.say(f"end {call.name} {int(call.is_chunked)}")

    def endable(self) -> list[Call]:
        return [call for call in self.answerable(has_begun=True) if call.length is None]

    @rule(pick=PICKS)
    def interpreter_ends(self, pick: int) -> None:
        call = one_of(self.endable(), pick)
        if call is None:
            return self.somebody_calls()
        self.end(call)
        self.sync()

    @rule(pick=PICKS, status=st.sampled_from(list(REASONS)))
    def interpreter_raises(self, pick: int, status: int) -> None:
        some = [call for call in self.unanswered() if not call.has_begun]
        call = one_of(some, pick)
        if call is None:
            return self.somebody_calls()
        _, ask = self.known(call)
        if self.say(f"none {call.name} {status}"):
            call.is_over = True
            ask.answer = (status, f"{status} {REASONS[status]}\n".encode())
        self.sync()

    @rule(pick=PICKS, name=st.sampled_from(sorted(FILES)))
    def interpreter_names_a_file(self, pick: int, name: str) -> None:
        call = one_of(self.answerable(has_begun=False), pick)
        if call is None:
            return self.somebody_calls()
        if self.say(f"file {call.name} {self.puppet.folder}/{name}"):
            call.is_over = True
            self.known(call)[1].answer = (200, FILES[name])
        self.sync()

    @rule(pick=PICKS)
    def interpreter_breaks_off(self, pick: int) -> None:
        call = one_of(self.unanswered(), pick)
        if call is None:
            return self.somebody_calls()
        client, _ = self.known(call)
        client.may_miss = client.may_be_cut = True
        call.is_over = self.say(f"broken {call.name}")
        self.sync()

    @rule(chance=st.integers(0, 19))
    def soft_reset(self, chance: int) -> None:
        if chance == 7:  # no end of the range, which comes more often
            for client in self.clients:
                client.may_miss = client.may_be_cut = True
            self.start()

    # ---- The clock

    @rule(ms=st.sampled_from([1, 100, TURN_MS, TURN_MS, 10_000, 60_000]))
    def time_passes(self, ms: int) -> None:
        if self.is_wait_allowed:
            self.pass_by(ms)

    def pass_by(self, ms: int) -> None:
        self.clock_ms += ms
        self.excuse()
        self.puppet.tell(f"pass {ms}")

    # ---- The end

    def teardown(self) -> None:
        try:
            self.all_get_their_answers()
            self.all_is_free_again()
        finally:
            for client in self.clients:
                client.peer.close()

    def all_get_their_answers(self) -> None:
        """Whoever has asked in full and reads is answered, and the interpreter answers all."""
        for client in list(self.clients):
            if not client.asks or not client.asks[-1].is_whole:
                self.leave(client, is_reset=True)
        deadline = time.monotonic() + self.patience_s
        while waiting := [c for c in self.clients if not c.has_ended and self.is_waiting(c)]:
            assert time.monotonic() < deadline, waiting
            self.interpreter_answers_all()
            for client in waiting:
                client.read(100_000)
                self.check(client)
            if self.is_crowded:
                self.pass_by(TURN_MS)

    def interpreter_answers_all(self) -> None:
        self.interpreter_looks()
        for call in self.answerable(has_begun=False):
            _, ask = self.known(call)
            if self.say(f"begin {call.name} 200 0 whole A: b"):
                ask.answer, call.is_over, call.has_begun = (200, b""), True, True
        for call in self.endable():
            self.end(call)
        for call in self.answerable(has_begun=True):
            self.go_on(call, 4000)

    def is_waiting(self, client: Client) -> bool:
        answers = list(answers_in(bytes(client.got), client.asks, client.has_ended))
        return sum(is_whole for _, _, is_whole, _ in answers) < len(client.asks)

    def all_is_free_again(self) -> None:
        for client in list(self.clients):
            self.leave(client, is_reset=True)
        deadline = time.monotonic() + self.patience_s
        while self.sync() > 0 or not all(c.is_over or c.is_closed for c in self.calls.values()):
            assert time.monotonic() < deadline, self.calls
            self.interpreter_answers_all()
            self.puppet.tell("pass 60000")
        fresh = [self.open() for _ in range(SLOTS)]
        for client in fresh:
            client.peer.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        for client in fresh:
            client.peer.settimeout(self.patience_s)
            assert client.peer.recv(4096).startswith(b"HTTP/1.1 200 ")


class Puppets:
    """The program, started anew after it has ended."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program, self._folder = program, folder
        self._puppet: Puppet | None = None
        self.patience_s = 20 * slowness()

    def take(self) -> Puppet:
        if self._puppet is None or self._puppet.process.poll() is not None:
            self._puppet = Puppet(self._program, self._folder)
        return self._puppet

    def end(self) -> None:
        if self._puppet is not None:
            self._puppet.end()


def puppets_of(tmp_path: Path, flags: list[str]) -> Puppets:
    wraps = [f"-Wl,--wrap={name}" for name in ("vhttp_now_ms", "vhttp_accept")]
    for name in ("served", "built"):
        (tmp_path / name).mkdir()
    program = build(tmp_path / "built", "puppet", [*flags, *wraps], LIMITS)
    return Puppets(program, tmp_path / "served")


def explore(tmp_path: Path, flags: list[str], examples: int, seconds: float = 0) -> None:
    puppets = puppets_of(tmp_path, flags)
    until = time.monotonic() + seconds
    while True:
        run_state_machine_as_test(
            functools.partial(CallLife, puppets),
            settings=settings(
                max_examples=examples,
                stateful_step_count=60,
                deadline=None,
                derandomize=seconds == 0,
                database=None,
                report_multiple_bugs=False,
                phases=[Phase.generate],  # to make a failure shorter takes minutes
                suppress_health_check=list(HealthCheck),
            ),
        )
        if time.monotonic() >= until:
            break
    puppets.end()


def test_a_stream_that_nobody_reads_ends_also_after_a_pause(tmp_path: Path) -> None:
    puppets = puppets_of(tmp_path, SANITIZERS)
    life = CallLife(puppets)
    life.begins(count=1, is_crowd_allowed=False, is_wait_allowed=True)
    (call,) = life.calls.values()
    assert life.say(f"begin {call.name} 200 -1 whole A: b")
    call.has_begun = True
    while call.credit > 0 and call.written < len(PATTERN):  # each piece goes out, and it pauses
        life.go_on(call, 50)
        life.sync()
        life.interpreter_looks()
    for _ in range(3):
        life.pass_by(SEND_TIMEOUT_MS)
    assert life.sync() == 0
    life.teardown()
    puppets.end()


@pytest.mark.parametrize("flags", [SANITIZERS, THREAD_SANITIZER], ids=["memory", "threads"])
def test_in_short(tmp_path: Path, flags: list[str]) -> None:
    explore(tmp_path, flags, examples=30)


@pytest.mark.long
@pytest.mark.parametrize("flags", [SANITIZERS, THREAD_SANITIZER], ids=["memory", "threads"])
def test_at_length(tmp_path: Path, flags: list[str]) -> None:
    explore(tmp_path, flags, examples=50, seconds=float(os.environ.get("CALL_LIFE_S", "60")))
