# SPDX-License-Identifier: MIT
"""Routes as a client sees them, on any host that runs routes_app.py."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import httpx
import pytest
from served_app import running_app
from slowness import slowness

BIG = 60_000  # bytes of a body: more than fits the request ring


@pytest.fixture(scope="module")
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_app(request, tmp_path_factory.mktemp("routes"), "routes_app.py") as app:
        yield app.address


@pytest.fixture
def client(host: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host) as client:
        yield client


def connect(host: str) -> socket.socket:
    address = urlsplit(host)
    assert address.hostname
    return socket.create_connection((address.hostname, address.port or 80), timeout=10)


def received(peer: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    return b"".join(iter(lambda: peer.recv(65536), b""))


def test_value_becomes_json(client: httpx.Client) -> None:
    answer = client.get("/json")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert answer.json() == {
        "a": 1, "b": [1.5, None, True, 'x\n"ä\x01'], "c": {}, "d": [], "e": 1 << 80,
    }  # fmt: skip


@pytest.mark.parametrize("count", [0, 10, 39, 40, 100, 1000, 10_000])
def test_json_of_any_length(client: httpx.Client, count: int) -> None:
    assert client.get(f"/big/{count}").json() == ["x" * 100] * count


@pytest.mark.parametrize("count", [0, 1, 4095, 4096, 4097, 16_384, 1_000_000])
def test_octets_of_any_length(client: httpx.Client, count: int) -> None:
    answer = client.get(f"/bytes/{count}")
    assert answer.content == b"y" * count
    assert answer.headers["Content-Length"] == str(count)


@pytest.mark.parametrize(
    ("path", "content_type", "content"),
    [
        ("/text", "text/plain; charset=utf-8", "hällo"),
        ("/null", "application/json", "null"),
        ("/bytes/1", "application/octet-stream", "y"),
        ("/html", "text/html; charset=utf-8", "<p>"),
    ],
)
def test_types(client: httpx.Client, path: str, content_type: str, content: str) -> None:
    answer = client.get(path)
    assert (answer.headers["Content-Type"], answer.text) == (content_type, content)


def test_path_parameters(client: httpx.Client) -> None:
    answer = client.get("/values/-7/2.5/yes/a%20b/c/d")
    assert answer.json() == [-7, 2.5, True, "a b", "c/d"]


@pytest.mark.parametrize("path", ["/values/x/2.5/yes/a/b", "/values/7/nan/yes/a/b", "/nowhere"])
def test_no_such_route(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_query_parameters(client: httpx.Client) -> None:
    assert client.get("/query?n=5").json() == ["none", 5, 0.5, False]
    answer = client.get("/query?q=a%26+b&n=-1&x=1e2&b=on&other=1&n=6")
    assert answer.json() == ["a& b", 6, 100.0, True]


@pytest.mark.parametrize("query", ["", "?n=", "?n=x", "?n=1&x=y", "?n=1&b=2", "?n=1&q=%ff"])
def test_query_that_does_not_fit(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/query{query}")
    assert answer.status_code == 422
    assert "query parameter" in answer.json()["detail"]


def test_a_query_parameter_that_is_missing(client: httpx.Client) -> None:
    answers = [client.get(f"/query{query}") for query in ("", "?q=a", "?N=1", "?n=", "?n=1.5")]
    details = [answer.json()["detail"] for answer in answers]
    missing, other = "query parameter 'n' is missing", "query parameter 'n' must be an int"
    assert details == [missing, missing, missing, other, other]


def test_methods(client: httpx.Client) -> None:
    answer = client.delete("/json")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, POST, OPTIONS"
    assert client.options("/json").status_code == 204
    head = client.head("/json")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == client.get("/json").headers["Content-Length"]
    assert client.head("/big/1000").status_code == 200
    assert client.get("/text").text == "hällo"  # the connection goes on


def test_a_route_goes_before_a_mount(client: httpx.Client) -> None:
    assert client.get("/file").status_code == 200
    assert client.get("/style.css").headers["Content-Type"].startswith("text/css")


def test_hundred_handlers_that_wait_are_served_together(host: str) -> None:
    metrics = httpx.get(f"{host}/metrics", headers={"Connection": "close"}, timeout=20).text
    places = re.search(r"^viperhttp_connections_max (\d+)$", metrics, re.MULTILINE)
    assert places
    with ExitStack() as stack:
        peers = [stack.enter_context(connect(host)) for _ in range(min(100, int(places[1]) - 1))]
        started = time.monotonic()
        for peer in peers:
            peer.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answers = [received(peer) for peer in peers]
        took = time.monotonic() - started
    assert all(answer.endswith(b"\r\n\r\n/slow") for answer in answers), answers
    assert took < 1 + 0.5 * slowness()  # each waits for a second


@pytest.mark.parametrize("path", ["/raises", "/unsendable", "/unsendable-inside",
                                  "/endless-inside", "/split"])  # fmt: skip
def test_handler_that_raises(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal Server Error"})
    assert client.get("/text").status_code == 200


def test_http_exception(client: httpx.Client) -> None:
    answer = client.get("/raises-later")
    assert (answer.status_code, answer.json()) == (403, {"detail": {"why": "no"}})
    assert answer.headers["X-Why"] == "no"


def test_exception_handler(client: httpx.Client) -> None:
    answer = client.get("/odd")
    assert (answer.status_code, answer.json()) == (409, {"odd": "indeed", "at": "/odd"})


def test_response_object(client: httpx.Client) -> None:
    answer = client.get("/response")
    assert (answer.status_code, answer.text, answer.headers["X-A"]) == (201, "made", "b")
    assert answer.headers["Content-Type"] == "text/x-made"
    cookies = answer.headers.get_list("Set-Cookie")
    assert cookies == ["a=1; Max-Age=5; Path=/; SameSite=Lax", "b=2; Path=/; SameSite=Lax"]


def test_redirection(client: httpx.Client) -> None:
    answer = client.get("/redirect")
    assert (answer.status_code, answer.headers["Location"]) == (307, "/json")


def test_no_content(client: httpx.Client) -> None:
    answer = client.get("/no-content")
    assert answer.status_code == 204
    assert "Content-Length" not in answer.headers


def test_file(client: httpx.Client) -> None:
    answer = client.get("/file")
    assert answer.content == client.get("/", headers={"Accept-Encoding": "identity"}).content
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="a.html"'


def test_file_is_a_mounts(client: httpx.Client) -> None:
    plain = {"Accept-Encoding": "identity"}
    chosen, mounted = client.get("/file", headers=plain), client.get("/", headers=plain)
    for name in ("ETag", "Vary", "Accept-Ranges", "Cache-Control", "Content-Length"):
        assert chosen.headers[name] == mounted.headers[name], name
    for more, status in (
        ({"If-None-Match": chosen.headers["ETag"]}, 304),
        ({"Range": "bytes=5-9"}, 206),
        ({"Range": "bytes=999999-"}, 416),
    ):
        answers = [client.get(path, headers={**plain, **more}) for path in ("/file", "/")]
        assert [answer.status_code for answer in answers] == [status, status]
        assert answers[0].content == answers[1].content
        assert answers[0].headers.get("Content-Range") == answers[1].headers.get("Content-Range")
    assert client.get("/file").headers["Content-Encoding"] == "gzip"
    assert client.head("/file").headers["Content-Disposition"]


def test_file_that_answers_a_post(client: httpx.Client) -> None:
    etag = client.get("/file").headers["ETag"]
    for body in (b"", b"x" * 5000):  # with its head at hand, and without
        answer = client.post("/file", content=body, headers={"If-None-Match": etag})
        assert (answer.status_code, len(answer.content)) == (200, len(client.get("/file").content))


def test_file_with_fields_and_a_status(client: httpx.Client) -> None:
    typed = client.get("/files/typed")
    assert typed.headers["Content-Type"] == "text/x-odd"
    assert typed.headers.get_list("Cache-Control") == ["max-age=60"]
    assert typed.headers["X-A"] == "b"
    sorry = client.get("/files/sorry", headers={"Range": "bytes=0-1"})
    assert (sorry.status_code, sorry.content) == (404, typed.content)
    assert "X-A" not in client.get("/").headers  # what the cache keeps is the mount's own


@pytest.mark.parametrize(("path", "number"), [("www", 21), ("www/no", 2)])
def test_file_that_is_none(client: httpx.Client, path: str, number: int) -> None:
    answer = client.get(f"/file-at/{path}")
    assert (answer.status_code, answer.json()) == (404, {"detail": number})


def test_events_come_as_they_happen(client: httpx.Client) -> None:
    with client.stream("GET", "/events/10") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        started = time.monotonic()
        lines = []
        for line in answer.iter_lines():
            if line:
                lines.append(line)
            if len(lines) == 1:
                first = time.monotonic() - started
    assert lines == [f"data: {i}" for i in range(10)]
    assert time.monotonic() - started > first + 0.3


def test_stream_to_http_1_0_ends_with_the_connection(host: str) -> None:
    with connect(host) as peer:
        peer.sendall(b"GET /events/2 HTTP/1.0\r\n\r\n")
        answer = received(peer)
    head, _, content = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head and b"Connection: close" in head
    assert content == b"data: 0\n\ndata: 1\n\n"


def test_slow_reader_holds_up_nobody(host: str, client: httpx.Client) -> None:
    with connect(host) as peer:
        peer.sendall(b"GET /flood/20000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert peer.recv(1) == b"H"
        for _ in range(20):  # while the flood waits for its reader
            assert client.get("/json").status_code == 200
            assert client.get("/big/1000").status_code == 200
        received = 0
        while part := peer.recv(1 << 20):
            received += len(part)
    assert received > 20_000_000


def test_stream_that_breaks_is_cut_short(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/breaks")
    assert client.get("/text").status_code == 200


def test_client_that_goes_away(host: str, client: httpx.Client) -> None:
    for path in ("/flood/100000", "/events/1000", "/slow", "/big/10000") * 5:
        with connect(host) as peer:
            peer.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            if path != "/slow":
                assert peer.recv(1)
    assert client.get("/text").status_code == 200


def test_request_object(client: httpx.Client) -> None:
    answer = client.get(
        "/request?a=1&b=%C3%A4&a=2", headers=[("X-A", "1"), ("x-a", "2"), ("Cookie", 'c=d; e="f"')]
    )
    assert answer.json() == {
        "method": "GET", "path": "/request", "query": {"a": "2", "b": "ä"},
        "cookies": {"c": "d", "e": "f"}, "a": "1, 2", "has": True,
    }  # fmt: skip


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("size", [0, 1, 5000, BIG])
def test_body(client: httpx.Client, method: str, size: int) -> None:
    body = os.urandom(size)
    assert client.request(method, "/echo", content=body).content == body
    assert client.request(method, "/echo", content=iter([body])).content == body  # chunked


def test_bodies_at_once(host: str) -> None:
    def echo(_: int) -> bool:
        body = os.urandom(BIG)
        return httpx.post(f"{host}/echo", content=body, timeout=20).content == body

    with ThreadPoolExecutor(12) as pool:
        assert all(pool.map(echo, range(36)))


def test_json_body(client: httpx.Client) -> None:
    value = {"a": [1, "ä"]}
    assert client.post("/json", json=value).json() == value
    assert client.post("/json", content=b"nonsense").status_code == 422


def test_form(client: httpx.Client) -> None:
    assert client.post("/form", data={"a": "1 &2", "b": ""}).json() == {"a": "1 &2", "b": ""}
    assert client.post("/form", json={}).status_code == 415


def test_dependencies(client: httpx.Client) -> None:
    path = "/outer/inner/who/3"
    assert client.get(path, headers={"X-User": "me"}).json() == [3, "me", "db"]
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (401, {"detail": "who?"})


def test_startup_event(client: httpx.Client) -> None:
    assert client.get("/seen").json() == ["startup"]


def test_another_thread_is_refused(client: httpx.Client) -> None:
    assert client.get("/other-thread").json() == [True] * 3


def test_no_route_is_added_while_the_server_runs(client: httpx.Client) -> None:
    assert client.get("/while-running").status_code == 500
    assert client.get("/more").status_code == 404


def test_figures(client: httpx.Client) -> None:
    before, *_ = client.get("/figures").json()
    client.get("/nowhere")
    after, ipc, memory = client.get("/figures").json()
    assert after["responses"]["404"] == before["responses"].get("404", 0) + 1
    assert after["connections_open"] >= 1 and after["uptime_ms"] > 0
    assert ipc["psram"] is True
    assert 0 < ipc["requests"]["high_water"] <= ipc["requests"]["size"]
    assert memory["heap_used"] > 0 and memory["server_internal"] > 0


def test_busy_handler_stops_neither_files_nor_health(host: str, client: httpx.Client) -> None:
    client.get("/style.css")  # into the cache
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(httpx.get, f"{host}/busy/2500", timeout=20)
        # Until it runs others are answered; then they wait, for VHTTP_COLD_WAIT_MS.
        while (waited := client.get("/json")).status_code == 200:
            assert not busy.done()
        assert (waited.status_code, waited.headers["Retry-After"]) == (503, "1")
        assert client.get("/health").status_code == 200
        assert client.get("/style.css").status_code == 200
        assert not busy.done()
        assert busy.result().text == "2500"
    assert client.get("/json").status_code == 200


def test_pipelined_calls_are_answered_in_order(host: str) -> None:
    paths = ["/big/50", "/text", "/events/2", "/slow", "/bytes/5000", "/raises", "/json"]
    with connect(host) as peer:
        request = "".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths)
        peer.sendall(request.encode() + b"GET /text HTTP/1.0\r\n\r\n")
        answer = received(peer)
    statuses = re.findall(rb"HTTP/1\.1 (\d+)", answer)
    assert statuses == [b"200"] * 5 + [b"500"] + [b"200"] * 2
    assert json.loads(re.findall(rb'\{"[^\n]*\}(?=HTTP)', answer)[-1])["a"] == 1
