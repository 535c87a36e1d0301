# SPDX-License-Identifier: MIT
"""Parts of files, files that have not changed, and what a server on a network has to bear."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
import pytest

PAGE = "/"


@pytest.fixture
def client(http_host: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=http_host, headers={"Accept-Encoding": "identity"}) as client:
        yield client


def connect(host: str) -> socket.socket:
    address = urlsplit(host)
    return socket.create_connection((address.hostname or "", address.port or 80), timeout=10)


def read_all(peer: socket.socket) -> bytes:
    """All that comes until the server closes, or breaks off."""
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        while part := peer.recv(65536):
            answer += part
    return answer


def exchange(host: str, request: bytes) -> bytes:
    with connect(host) as peer:
        peer.sendall(request)
        return read_all(peer)


def metric(client: httpx.Client, name: str) -> float:
    text = client.get("/metrics").text
    found = re.search(rf"^viperhttp_{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found, f"{name} is not in\n{text}"
    return float(found[1])


# ---- Parts


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=100-199", slice(100, 200)),
        ("bytes=5000-", slice(5000, None)),
        ("bytes=-300", slice(-300, None)),
        ("bytes=10-99999999", slice(10, None)),
    ],
)
def test_range(client: httpx.Client, wanted: str, part: slice) -> None:
    whole = client.get(PAGE).content
    answer = client.get(PAGE, headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.content == whole[part]
    first = range(len(whole))[part][0]
    last = first + len(answer.content) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"


def test_range_of_the_compressed_page(client: httpx.Client) -> None:
    def raw(**more: str) -> tuple[int, bytes]:
        with client.stream("GET", PAGE, headers={"Accept-Encoding": "gzip", **more}) as answer:
            assert answer.headers["Content-Encoding"] == "gzip"
            return answer.status_code, b"".join(answer.iter_raw())

    whole = raw()[1]
    assert raw(Range="bytes=10-99") == (206, whole[10:100])


@pytest.mark.parametrize("wanted", ["bytes=99999999-", "bytes=-0"])
def test_range_behind_the_end(client: httpx.Client, wanted: str) -> None:
    size = client.get(PAGE).headers["Content-Length"]
    answer = client.get(PAGE, headers={"Range": wanted})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{size}"


@pytest.mark.parametrize("wanted", ["bytes=0-1,5-6", "bytes=5-1", "lines=0-1", "bytes=x"])
def test_other_ranges_give_the_whole(client: httpx.Client, wanted: str) -> None:
    assert client.get(PAGE, headers={"Range": wanted}).status_code == 200


def test_range_only_if_unchanged(client: httpx.Client) -> None:
    etag = client.get(PAGE).headers["ETag"]
    for condition, status in ((etag, 206), ('"other"', 200), (f"W/{etag}", 200)):
        headers = {"Range": "bytes=0-9", "If-Range": condition}
        assert client.get(PAGE, headers=headers).status_code == status, condition


def test_condition_goes_before_range(client: httpx.Client) -> None:
    etag = client.get(PAGE).headers["ETag"]
    headers = {"Range": "bytes=0-9", "If-None-Match": etag}
    assert client.get(PAGE, headers=headers).status_code == 304


def test_dates(client: httpx.Client) -> None:
    answer = client.get(PAGE)
    if "Date" in answer.headers:
        assert parsedate_to_datetime(answer.headers["Date"]).year >= 2025
    # The files of an image all have one constant time, which says nothing of what is in them.
    assert "Last-Modified" not in answer.headers
    headers = {"If-Modified-Since": "Fri, 31 Dec 2100 23:59:59 GMT"}
    assert client.get(PAGE, headers=headers).status_code == 200


def test_hot_files_are_answered_without_the_interpreter(client: httpx.Client) -> None:
    client.get(PAGE)
    opened, hits = metric(client, "files_opened_total"), metric(client, "cache_hits_total")
    for _ in range(50):
        assert client.get(PAGE).status_code == 200
    assert metric(client, "cache_hits_total") >= hits + 50
    assert metric(client, "files_opened_total") <= opened + 5


# ---- Bodies


def test_body_without_a_length(http_host: str) -> None:
    request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n\r\n"
    assert exchange(http_host, request).startswith(b"HTTP/1.1 411 ")


def test_connection_goes_on_behind_a_chunked_body(http_host: str) -> None:
    request = (
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5;x=y\r\nhello\r\n0\r\nTrailer: z\r\n\r\n"
        b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    answer = exchange(http_host, request)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"405", b"200"]


@pytest.mark.parametrize("chunk", [b"x\r\n", b"5\nhello", b"1\r\nab", b"ffffffffff\r\n"])
def test_nothing_is_read_behind_a_bad_chunk(http_host: str, chunk: bytes) -> None:
    request = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk
    answer = exchange(http_host, request + b"\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"ok" not in answer


def test_no_body_is_asked_for_in_vain(http_host: str) -> None:
    request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
    answer = exchange(http_host, request)
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"Connection: close\r\n" in answer


# ---- What a server has to bear


def test_slow_clients_cost_others_nothing(http_host: str, client: httpx.Client) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            slow = stack.enter_context(connect(http_host))
            slow.sendall(b"GET / HTTP/1.1\r\nHo")
        assert client.get(PAGE).status_code == 200


def test_idle_connections_make_room(http_host: str, client: httpx.Client) -> None:
    evicted = metric(client, "connections_evicted_total")
    more = int(metric(client, "connections_max")) + 10
    with contextlib.ExitStack() as stack:
        for _ in range(more):
            stack.enter_context(connect(http_host))
        assert exchange(http_host, b"GET /health HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert metric(client, "connections_evicted_total") > evicted
