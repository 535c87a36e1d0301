# SPDX-License-Identifier: MIT
"""Static files as a client sees them, on any host that serves the demo site."""

from __future__ import annotations

import gzip
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

PAGE = "/"  # index.html: long enough to be compressed


@pytest.fixture
def client(http_host: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=http_host, headers={"Accept-Encoding": "identity"}) as client:
        yield client


def exchange(host: str, request: bytes) -> bytes:
    """All that the server says to some bytes until it closes the connection."""
    address = urlsplit(host)
    assert address.hostname
    with socket.create_connection((address.hostname, address.port or 80), timeout=10) as peer:
        peer.sendall(request)
        answer = b""
        while part := peer.recv(65536):
            answer += part
    return answer


def status_of(answer: bytes) -> int:
    assert answer.startswith(b"HTTP/1.1 "), answer
    return int(answer[9:12])


def test_page(client: httpx.Client) -> None:
    answer = client.get(PAGE)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert answer.text.lower().startswith("<!doctype html>")


def test_folder_and_its_index_are_one_page(client: httpx.Client) -> None:
    assert client.get("/index.html").content == client.get("/").content


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
    ],
)
def test_content_type(client: httpx.Client, path: str, content_type: str) -> None:
    assert client.get(path).headers["Content-Type"] == content_type


def test_head_has_the_fields_of_get_and_no_content(client: httpx.Client) -> None:
    got, head = client.get(PAGE), client.head(PAGE)
    assert head.status_code == 200
    got.headers.pop("Date", None)  # the next second may have begun
    head.headers.pop("Date", None)
    assert head.headers == got.headers
    assert head.content == b""


def test_gzip_sibling_holds_the_same_page(client: httpx.Client) -> None:
    plain = client.get(PAGE)
    with client.stream("GET", PAGE, headers={"Accept-Encoding": "gzip"}) as packed:
        raw = b"".join(packed.iter_raw())
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(raw) < len(plain.content)
    assert gzip.decompress(raw) == plain.content
    assert packed.headers["Content-Type"] == plain.headers["Content-Type"]
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert packed.headers["ETag"] != plain.headers["ETag"]


@pytest.mark.parametrize("refusal", ["identity", "gzip;q=0", "br", "*;q=0", "identity, gzip;q=0.5"])
def test_no_gzip_for_who_does_not_want_it(client: httpx.Client, refusal: str) -> None:
    assert "Content-Encoding" not in client.get(PAGE, headers={"Accept-Encoding": refusal}).headers


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_known_content_is_not_sent_again(client: httpx.Client, encoding: str) -> None:
    etag = client.get(PAGE, headers={"Accept-Encoding": encoding}).headers["ETag"]
    for known in (etag, f'"x", W/{etag}', "*"):
        answer = client.get(PAGE, headers={"Accept-Encoding": encoding, "If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == etag
        assert answer.headers["Vary"] == "Accept-Encoding"


def test_changed_content_is_sent(client: httpx.Client) -> None:
    answer = client.get(PAGE, headers={"If-None-Match": '"0123456789abcdef"'})
    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["Content-Length"])


@pytest.mark.parametrize(
    "path", ["/nothing.html", "/index.html/x", "/.hidden", "/a/.b/c", "/%C3%A4"]
)
def test_what_is_not_there(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_files_are_read_only(client: httpx.Client, method: str) -> None:
    answer = client.request(method, PAGE, content=b"x" * 1000)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert client.get(PAGE).status_code == 200  # the connection goes on behind the body


def test_options(client: httpx.Client) -> None:
    answer = client.options(PAGE)
    assert (answer.status_code, answer.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize(
    "target", ["/..", "/../boot.py", "/%2e%2e/boot.py", "/a%2Fb", "/a%5Cb", "/%00", "/%zz", "/%ff"]
)
def test_no_way_out_of_the_mount(http_host: str, target: str) -> None:
    request = f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"
    assert status_of(exchange(http_host, request.encode())) == 400


def test_dots_within_the_mount(http_host: str) -> None:
    request = b"GET /a/../favicon.svg HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert status_of(exchange(http_host, request)) == 200


def test_pipelined_requests_are_answered_in_order(http_host: str) -> None:
    paths = ["/style.css", "/nothing", "/favicon.svg", "/health", "/app.js"] * 4
    request = "".join(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths)
    request += "GET / HTTP/1.0\r\n\r\n"
    answer = exchange(http_host, request.encode())
    statuses = re.findall(rb"HTTP/1\.1 (\d+) [^\r]*\r\nContent-Type: ([^;\r]*)", answer)
    kinds = [b"text/css", b"text/plain", b"image/svg+xml", b"application/json", b"text/javascript"]
    assert [kind for _, kind in statuses] == kinds * 4 + [b"text/html"]


def test_request_in_single_bytes(http_host: str) -> None:
    address = urlsplit(http_host)
    with socket.create_connection((address.hostname or "", address.port or 80), 10) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n":
            peer.sendall(bytes([byte]))
        answer = b"".join(iter(lambda: peer.recv(65536), b""))
    assert answer.endswith(b'{"status":"ok"}\n')


def test_http_1_0(http_host: str) -> None:
    answer = exchange(http_host, b"GET /health HTTP/1.0\r\n\r\n")
    assert status_of(answer) == 200
    assert b"Connection: close\r\n" in answer
    kept = exchange(
        http_host,
        b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /health HTTP/1.0\r\n\r\n",
    )
    assert kept.count(b"HTTP/1.1 200") == 2
    assert kept.count(b"Connection: keep-alive") == 1


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nA: \0\r\n\r\n", 400),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n",
            400,
        ),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999\r\n\r\n", 413),
        (b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417),
        (b"GET / HTTP/1.1\r\nHost: a\r\nA: " + b"b" * 8192 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n", 400),
    ],
)
def test_refused_and_closed(http_host: str, request_bytes: bytes, status: int) -> None:
    answer = exchange(http_host, request_bytes)
    assert status_of(answer) == status
    assert b"Connection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1") == 1


def metric(client: httpx.Client, name: str) -> float:
    text = client.get("/metrics").text
    found = re.search(rf"^viperhttp_{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found, f"{name} is not in\n{text}"
    return float(found[1])


def test_health(client: httpx.Client) -> None:
    answer = client.get("/health")
    assert answer.json() == {"status": "ok"}
    assert answer.headers["Cache-Control"] == "no-store"


def test_metrics_are_counted(client: httpx.Client) -> None:
    name = 'responses_total{status="404"}'
    client.get("/nothing")
    before, sent = metric(client, name), metric(client, "sent_bytes_total")
    for _ in range(3):
        client.get("/nothing")
    assert metric(client, name) >= before + 3
    assert metric(client, "sent_bytes_total") > sent
    assert metric(client, "connections_open") >= 1
    assert metric(client, "uptime_seconds") > 0
