# SPDX-License-Identifier: MIT
"""The server of core/ as its clients see it, with as many connections as on the S3.

The sanitizers watch, and the interpreter is the one of served.c.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest
from c_program import SANITIZERS
from slowness import slowness
from test_serving import build
from viper.source.module_settings import Value

SLOTS = 16
TURN_S = 0.5  # VHTTP_TURN_MS
LIMITS: dict[str, Value] = {"VHTTP_MAX_CONNECTIONS": SLOTS, "VHTTP_LISTEN_BACKLOG": SLOTS}
FILE = b"x" * 1024


class Server:
    """A program that serves, and what can be asked of it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10 * slowness())

    def ask(self, request: bytes) -> bytes:
        """All that is answered, to the end of the connection."""
        with self.connect() as peer:
            peer.sendall(request)
            return b"".join(iter(lambda: peer.recv(65536), b""))

    def figure(self, name: str) -> int:
        metrics = self.ask(request("GET /metrics", close=True)).decode()
        found = re.search(rf"^viperhttp_{name} (\d+)$", metrics, re.MULTILINE)
        assert found, metrics
        return int(found[1])


def request(line: str, *fields: str, close: bool = False) -> bytes:
    lines = [f"{line} HTTP/1.1", "Host: a", *fields, *(["Connection: close"] if close else [])]
    return "\r\n".join([*lines, "", ""]).encode()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def read_answer(peer: socket.socket) -> tuple[bytes, bytes]:
    """The head and the content of one answer that says its length."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = peer.recv(65536)
        if not piece:
            raise ConnectionResetError("the stream ended within a head")
        got += piece
    head, content = got.split(b"\r\n\r\n", 1)
    found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    assert found, head
    while len(content) < int(found[1]):
        content += peer.recv(65536)
    return head, content


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Compiles the server with some settings besides the limits of the S3, once for each."""
    made: dict[str, Path] = {}

    def compile_it(**settings: Value) -> Path:
        key = repr(sorted(settings.items()))
        if key not in made:
            folder = tmp_path_factory.mktemp("serve")
            made[key] = build(folder, "serve", SANITIZERS, {**LIMITS, **settings})
        return made[key]

    return compile_it


@contextmanager
def serving(program: Path, folder: Path) -> Iterator[Server]:
    (folder / "posted").mkdir(exist_ok=True)
    (folder / "posted/there").write_bytes(FILE)
    (folder / "file").write_bytes(FILE)
    with subprocess.Popen(
        [program, folder, "0"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout and process.stdin
        found = re.search(r":(\d+)/", process.stdout.readline())
        assert found
        yield Server(int(found[1]))
        process.stdin.close()
        assert process.wait(60) == 0


@pytest.fixture
def server(compiled: Callable[..., Path], tmp_path: Path) -> Iterator[Server]:
    with serving(compiled(), tmp_path) as served:
        yield served


CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("line", "fields", "body", "expected"),
    [
        # Conditions (RFC 9110, section 13.1)
        ("GET /file", ["If-Match: *"], b"", 200),
        ("GET /file", ['If-Match: "other"'], b"", 412),
        ("HEAD /file", ['If-Match: "other"'], b"", 412),
        ("GET /absent", ["If-Match: *"], b"", 404),
        ("GET /file", ["If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT"], b"", 412),
        ("GET /file", ["If-Unmodified-Since: Fri, 01 Jan 2038 00:00:00 GMT"], b"", 200),
        ("GET /file", ["If-Unmodified-Since: some time"], b"", 200),
        ("GET /file", ["If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT"], b"", 412),
        ("GET /file", ["If-Match: *", "If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT"],
         b"", 200),
        ("GET /file", ['If-Match: "other"', "Range: bytes=0-1"], b"", 412),
        # The target in absolute-form (RFC 9112, section 3.2.2)
        ("GET http://x", [], b"", 404),  # is /, whose index.html there is not
        ("GET http://x/file", [], b"", 200),
        ("GET http://x:80/file?a=/", [], b"", 200),
        ("GET http://x?a=/health", [], b"", 404),
        ("OPTIONS http://x", [], b"", 204),
        ("OPTIONS *", [], b"", 204),
        ("GET *", [], b"", 400),
        ("OPTIONS *?a", [], b"", 400),
        ("GET http:///health", [], b"", 400),
        ("GET http://:80/health", [], b"", 400),
        ("GET http://user@x/health", [], b"", 400),
        ("GET http://user:word@x/health", [], b"", 400),
        ("GET http://", [], b"", 400),
        # A route for other methods than a file's
        ("GET /posted/there", [], b"", 200),
        ("HEAD /posted/there", [], b"", 200),
        ("GET /posted/absent", [], b"", 405),
        ("DELETE /posted/there", [], b"", 405),
        ("POST /posted/there", ["Content-Length: 1"], b"x", 200),
        # Content without an end (RFC 9110, section 15.5.12)
        ("POST /body", ["Content-Type: text/plain"], b"", 411),
        ("PATCH /posted/there", ["Content-Type: text/plain"], b"", 411),
        ("PUT /posted/there", ["Content-Type: text/plain"], b"", 411),
        ("GET /file", ["Content-Type: text/plain"], b"", 200),
        ("POST /body", [], b"", 200),
        # Chunks (RFC 9112, section 7.1)
        ("POST /body", [CHUNKED], b"000000000000005\r\nhello\r\n0\r\n\r\n", 200),
        ("POST /body", [CHUNKED], b"00000000000000\r\n\r\n", 200),
        ("POST /body", [CHUNKED], b"0" * 2000 + b"\r\n\r\n", 431),
        ("POST /body", [CHUNKED], b"100000000\r\n", 413),
        ("POST /body", [CHUNKED], b"5 \t;a=b\r\nhello\r\n0\r\n\r\n", 200),
        ("POST /body", [CHUNKED], b"5 \r\nhello\r\n0\r\n\r\n", 400),
        ("POST /body", [CHUNKED], b" 5\r\nhello\r\n0\r\n\r\n", 400),
        ("POST /body", [CHUNKED], b"5\r\nhello\r\n0\r\nA: b\r\nC:\r\n\r\n", 200),
        ("POST /body", [CHUNKED], b"5\r\nhello\r\n0\r\nA b\r\n\r\n", 400),
        ("POST /body", [CHUNKED], b"5\r\nhello\r\n0\r\n: b\r\n\r\n", 400),
        ("POST /body", [CHUNKED], b"5\r\nhello\r\n0\r\nA : b\r\n\r\n", 400),
    ],
)  # fmt: skip
def test_status(server: Server, line: str, fields: list[str], body: bytes, expected: int) -> None:
    answer = server.ask(request(line, *fields, close=True) + body)
    assert status(answer) == expected, answer


def test_a_strong_etag_matches_and_a_weak_one_does_not(server: Server) -> None:
    plain = server.ask(request("GET /file", close=True)).decode()
    found = re.search(r'^ETag: ("\w+")\r$', plain, re.MULTILINE)
    assert found
    for field, expected in [(found[1], 200), (f'"x", {found[1]}', 200), (f"W/{found[1]}", 412)]:
        assert (
            status(server.ask(request("GET /file", f"If-Match: {field}", close=True))) == expected
        )


def test_lists_of_etags_over_several_fields_are_one(server: Server) -> None:
    plain = server.ask(request("GET /file", close=True)).decode()
    found = re.search(r'^ETag: ("\w+")\r$', plain, re.MULTILINE)
    assert found
    for etags, if_match, if_none_match in [
        (['"x"', found[1]], 200, 304),
        ([found[1], '"x"'], 200, 304),
        (['"x"', f'"y", {found[1]}', '"z"'], 200, 304),
        (['"x"', f"W/{found[1]}"], 412, 304),
        (['"x"', '"y"'], 412, 200),
    ]:
        for name, expected in (("If-Match", if_match), ("If-None-Match", if_none_match)):
            fields = [f"{name}: {etag}" for etag in etags]
            ask = request("GET /file", "Accept: a", *fields, "X: y", close=True)
            assert status(server.ask(ask)) == expected, fields


def test_a_date_counts_to_the_second(server: Server, tmp_path: Path) -> None:
    """RFC 9110, sections 13.1.4 and 13.1.5; 2001-09-09 01:46:40 is a billion seconds."""
    (tmp_path / "dated").write_bytes(FILE)
    os.utime(tmp_path / "dated", (1e9, 1e9))
    for last, unmodified, ranged in [(-1, 412, 200), (0, 200, 206), (1, 200, 200)]:
        date = format_datetime(datetime.fromtimestamp(1e9 + last, timezone.utc), usegmt=True)
        ask = request("GET /dated", f"If-Unmodified-Since: {date}", close=True)
        assert status(server.ask(ask)) == unmodified
        ask = request("GET /dated", "Range: bytes=0-1", f"If-Range: {date}", close=True)
        assert status(server.ask(ask)) == ranged


def test_a_file_without_a_date_has_none_that_matches(server: Server, tmp_path: Path) -> None:
    (tmp_path / "undated").write_bytes(FILE)
    os.utime(tmp_path / "undated", (0, 0))  # as of a device whose clock has never been set
    epoch = "Thu, 01 Jan 1970 00:00:00 GMT"
    plain = server.ask(request("GET /undated", f"If-Modified-Since: {epoch}", close=True))
    assert status(plain) == 200 and b"Last-Modified" not in plain
    ask = request("GET /undated", "Range: bytes=0-1", f"If-Range: {epoch}", close=True)
    assert status(server.ask(ask)) == 200


def test_a_folder_with_and_without_an_index(server: Server, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "home").mkdir()
    (tmp_path / "home/index.html").write_bytes(FILE)
    for path, expected in [("/bare/", 404), ("/home/", 200), ("/bare", 301), ("/home", 301)]:
        answer = server.ask(request(f"GET {path}?a=b", close=True))
        assert status(answer) == expected, answer
        assert (f"Location: {path}/?a=b\r\n".encode() in answer) == (expected == 301)


@pytest.mark.parametrize(
    ("line", "fields", "expected"),
    [
        ("HEAD /absent", [], 404),
        ("HEAD /%zz", [], 400),
        ("HEAD /file", ["Content-Length: 1000000"], 413),
    ],
)
def test_head_is_answered_without_content(
    server: Server, line: str, fields: list[str], expected: int
) -> None:
    answer = server.ask(request(line, *fields, close=True))
    assert status(answer) == expected
    assert answer.endswith(b"\r\n\r\n")


def test_a_path_of_a_file_allows_what_reads(server: Server) -> None:
    assert b"Allow: GET, HEAD, OPTIONS\r\n" in server.ask(request("PUT /file", close=True))
    assert b"Allow: GET, HEAD, OPTIONS\r\n" in server.ask(request("OPTIONS /file", close=True))


def test_the_first_bytes_of_a_stream_come_whole_behind_its_head(server: Server) -> None:
    with server.connect() as peer:
        peer.sendall(request("GET /events"))
        got = b""
        while not got.endswith(b"\n\n\r\n"):
            piece = peer.recv(65536)
            assert piece, got
            got += piece
    head, content = got.split(b"\r\n\r\n", 1)
    assert content == b"9\r\ndata: 1\n\n\r\n"
    assert b"Content-Type: text/event-stream" in head


def test_a_path_of_a_route_and_of_a_folder_allows_what_both_do(server: Server) -> None:
    assert b"Allow: GET, HEAD, POST, OPTIONS" in server.ask(request("PUT /posted/x", close=True))
    assert b"Allow: POST, OPTIONS" in server.ask(request("GET /posted/absent", close=True))


def test_every_slot_is_usable(server: Server) -> None:
    with ExitStack() as stack:
        peers = [stack.enter_context(server.connect()) for _ in range(SLOTS - 1)]
        for peer in peers:
            peer.sendall(request("GET /health"))
            read_answer(peer)
        assert server.figure("connections_open") == SLOTS
        for peer in peers:
            peer.sendall(request("GET /health"))
            read_answer(peer)
        assert server.figure("connections_evicted_total") == 0


def test_many_at_once_are_let_in_one_after_the_other(
    compiled: Callable[..., Path], tmp_path: Path
) -> None:
    """Clients that all connect before any of them sends: none is closed for another's sake."""
    program = compiled(VHTTP_TURN_MS=86_400_000, VHTTP_IDLE_TIMEOUT_MS=86_400_000)
    with serving(program, tmp_path) as served, ExitStack() as stack:
        first = [stack.enter_context(served.connect()) for _ in range(SLOTS)]
        waiting = [stack.enter_context(served.connect()) for _ in range(SLOTS)]
        for peer in [*first, *waiting]:
            peer.sendall(request("GET /file", close=True))
        for peer in [*first, *waiting]:
            assert read_answer(peer)[1] == FILE


def test_who_has_been_idle_makes_room_for_who_waits(server: Server) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(server.connect()) for _ in range(SLOTS)]
        for peer in idle:
            peer.sendall(request("GET /health"))
            read_answer(peer)
        assert status(server.ask(request("GET /health", close=True))) == 200
        assert idle[0].recv(1) == b""  # the one that has been idle for longest
        idle[-1].sendall(request("GET /health"))
        read_answer(idle[-1])


def test_places_pass_on_by_answers_while_somebody_waits(
    compiled: Callable[..., Path], tmp_path: Path
) -> None:
    """A pooling client that is not told could ask again on a connection that is being closed."""
    program = compiled(VHTTP_TURN_MS=86_400_000)
    with serving(program, tmp_path) as served, ExitStack() as stack:
        peers = [stack.enter_context(served.connect()) for _ in range(SLOTS)]
        for peer in peers:
            peer.sendall(request("GET /file"))
            assert b"connection: close" not in read_answer(peer)[0].lower()
        newcomer = stack.enter_context(served.connect())
        newcomer.sendall(request("GET /file"))
        head = b""
        until = time.monotonic() + 10 * slowness()
        while b"connection: close" not in head.lower():  # from when the server has seen who waits
            assert time.monotonic() < until
            peers[0].sendall(request("GET /file"))
            head, _ = read_answer(peers[0])
        assert peers[0].recv(1) == b""
        peers[0].close()
        assert b"connection: close" in read_answer(newcomer)[0].lower()  # others may wait still


def test_who_has_not_asked_yet_keeps_its_place_while_others_pass_on(
    compiled: Callable[..., Path], tmp_path: Path
) -> None:
    turn_s = 1.0
    program = compiled(VHTTP_TURN_MS=int(turn_s * 1000))
    with serving(program, tmp_path) as served, ExitStack() as stack:
        silent = [stack.enter_context(served.connect()) for _ in range(SLOTS - 1)]
        until = time.monotonic() + 4 * turn_s  # three of them are a silent one's patience
        passed_on = time.monotonic()
        while time.monotonic() < until:
            with served.connect() as first, served.connect() as second:
                for peer in (first, second):
                    peer.sendall(request("GET /file", close=True))
                    assert read_answer(peer)[1] == FILE
                    peer.close()
                    if time.monotonic() - passed_on > turn_s / 4:
                        return  # this machine was busy: nothing passed on for so long
                    passed_on = time.monotonic()
        for peer in silent:
            peer.sendall(request("GET /file"))
            assert read_answer(peer)[1] == FILE


def test_a_client_that_was_answered_leaves_before_one_that_has_not_asked_yet(
    compiled: Callable[..., Path], tmp_path: Path
) -> None:
    """Who has just come may be slow to ask, and takes a closed connection for a fault."""
    program = compiled(VHTTP_TURN_MS=3000)  # twice as long, and more, for this machine to be slow
    with serving(program, tmp_path) as served, ExitStack() as stack:
        silent = [stack.enter_context(served.connect()) for _ in range(SLOTS - 1)]
        answered = stack.enter_context(served.connect())
        answered.sendall(request("GET /health"))
        read_answer(answered)
        assert status(served.ask(request("GET /health", close=True))) == 200
        assert answered.recv(1) == b""
        for peer in silent:
            peer.sendall(request("GET /health"))
            assert status(read_answer(peer)[0]) == 200


def test_who_asks_for_nothing_makes_room_in_the_end(server: Server) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(server.connect()) for _ in range(SLOTS)]
        assert status(server.ask(request("GET /health", close=True))) == 200
        assert silent[0].recv(1) == b""


def test_four_times_as_many_clients_as_slots_all_get_answers(server: Server) -> None:
    """Each asks again and again, on one connection as long as it may: none that asks within a turn
    of its last answer finds the connection closed, and none waits for long."""
    until = time.monotonic() + 4
    slowest = [0.0] * 4 * SLOTS
    failures: list[object] = []

    def goes_on(number: int) -> bool:
        return not failures and (time.monotonic() < until or slowest[number] == 0)

    def ask_while_open(number: int, peer: socket.socket, before: float) -> None:
        is_open = True
        while is_open and goes_on(number):
            asked = time.monotonic()
            peer.sendall(request("GET /file"))
            is_prompt = time.monotonic() - before < 0.4
            before = asked
            try:
                head, content = read_answer(peer)
            except ConnectionError:
                if is_prompt:
                    raise
                return  # this machine was busy, and the client too late
            assert content == FILE
            slowest[number] = max(slowest[number], time.monotonic() - asked)
            is_open = b"connection: close" not in head.lower()

    def be_client(number: int) -> None:
        try:
            while goes_on(number):
                before = time.monotonic()
                with server.connect() as peer:
                    ask_while_open(number, peer, before)
        except BaseException as failure:
            failures.append(failure)

    clients = [threading.Thread(target=be_client, args=(number,)) for number in range(4 * SLOTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert failures == []
    assert max(slowest) < 5 * slowness()


def test_event_streams_whose_clients_have_gone_hold_no_slot(server: Server) -> None:
    for _ in range(3):
        with ExitStack() as stack:
            for _ in range(SLOTS - 1):
                peer = stack.enter_context(server.connect())
                peer.sendall(request("GET /events"))
                got = b""
                while b"data: 1" not in got:
                    got += peer.recv(4096)
        deadline = time.monotonic() + 5 * slowness()
        while server.figure("connections_open") > 1:
            assert time.monotonic() < deadline


@pytest.mark.parametrize("path", ["/later", "/pause"])
def test_who_may_have_left_makes_room_for_who_waits(server: Server, path: str) -> None:
    """A client that closes its half is the same to TCP as one that closes."""
    with ExitStack() as stack:
        half_closed = [stack.enter_context(server.connect()) for _ in range(SLOTS)]
        for peer in half_closed:
            peer.sendall(request(f"GET {path}"))
            peer.shutdown(socket.SHUT_WR)
        for _ in range(SLOTS):
            assert status(server.ask(request("GET /health", close=True))) == 200
        answer = b"".join(iter(lambda: half_closed[0].recv(65536), b""))
        if path == "/later":
            assert status(answer) == 503 and b"retry-after" in answer.lower()
        else:
            assert answer.endswith(b"data: 1\n\n\r\n")  # no last chunk: it is not whole


def test_who_listens_for_an_answer_keeps_its_place(server: Server) -> None:
    with ExitStack() as stack:
        waiting = [stack.enter_context(server.connect()) for _ in range(SLOTS)]
        for peer in waiting:
            peer.sendall(request("GET /later"))
        newcomer = stack.enter_context(server.connect())
        newcomer.sendall(request("GET /health"))
        newcomer.settimeout(3 * TURN_S)
        with pytest.raises(TimeoutError):
            newcomer.recv(1)
        waiting.pop().close()
        newcomer.settimeout(10 * slowness())
        assert status(read_answer(newcomer)[0]) == 200
        for peer in waiting:
            peer.setblocking(False)
            with pytest.raises(BlockingIOError):
                peer.recv(1)


def test_who_has_closed_its_half_is_answered_while_nobody_needs_its_place(server: Server) -> None:
    with server.connect() as peer, server.connect() as other:
        peer.sendall(request("GET /later"))
        peer.shutdown(socket.SHUT_WR)
        until = time.monotonic() + 2 * TURN_S
        while time.monotonic() < until:
            other.sendall(request("GET /health"))
            read_answer(other)
        other.sendall(request("GET /now"))
        assert status(b"".join(iter(lambda: peer.recv(65536), b""))) == 200


def test_a_quiet_event_stream_has_comments(compiled: Callable[..., Path], tmp_path: Path) -> None:
    with (
        serving(compiled(VHTTP_STREAM_QUIET_MS=100), tmp_path) as served,
        served.connect() as peer,
    ):
        peer.sendall(request("GET /events"))
        got = b""
        while got.count(b"2\r\n:\n\r\n") < 3:
            piece = peer.recv(4096)
            assert piece, got
            got += piece
        assert got.split(b"\r\n\r\n", 1)[1].startswith(b"9\r\ndata: 1\n\n\r\n2\r\n:\n\r\n")


def test_a_body_that_drips_has_an_end(compiled: Callable[..., Path], tmp_path: Path) -> None:
    program = compiled(VHTTP_BODY_TOTAL_MS=500, VHTTP_BODY_TIMEOUT_MS=5000)
    with serving(program, tmp_path) as served, served.connect() as peer:
        peer.sendall(request("POST /body", "Content-Length: 1000"))
        peer.settimeout(0.05)
        answer, dripped = b"", 0
        while not answer and dripped < 200:
            peer.sendall(b"x")
            dripped += 1
            try:
                answer = peer.recv(4096)
            except TimeoutError:
                continue
        assert status(answer) == 408


def test_a_whole_body_that_finds_the_interpreter_busy_is_503(server: Server) -> None:
    with server.connect() as busy, server.connect() as peer:
        busy.sendall(request("GET /sleep"))
        peer.sendall(request("POST /body", "Content-Length: 64000") + b"x" * 64000)
        head, _ = read_answer(peer)
        assert status(head) == 503
        assert b"retry-after" in head.lower()


def test_who_is_refused_within_its_body_can_read_why(
    compiled: Callable[..., Path], tmp_path: Path
) -> None:
    """A client that reads only when it has sent all, for longer than a silent one is waited for."""
    with serving(compiled(VHTTP_LINGER_MS=100), tmp_path) as served, served.connect() as peer:
        peer.sendall(request("POST /body", "Content-Length: 1000000"))
        until = time.monotonic() + 1
        while time.monotonic() < until:
            peer.sendall(b"x" * 100)
            time.sleep(0.02)  # the pace of this client; nothing is waited for
        assert status(read_answer(peer)[0]) == 413
