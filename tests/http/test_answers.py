# SPDX-License-Identifier: MIT
"""Answers of every size, by every kind of handler, arrive whole; files have one name."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from served_app import running_app

SIZES = [0, 1, 4095, 4096, 4097, 8192, 16384, 20_000, 100_000, 300_000]
KINDS = ["middle", "async", "later", "response", "deps", "fails"]


@pytest.fixture(scope="module")
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_app(request, tmp_path_factory.mktemp("answers"), "answers_app.py") as app:
        yield app.address


@pytest.fixture
def client(host: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host, timeout=20) as client:
        yield client


def text(count: int) -> str:
    return "0123456789abcdef" * (count // 16) + "x" * (count % 16)


@pytest.mark.parametrize("kind", KINDS)
def test_every_size_arrives_whole(client: httpx.Client, kind: str) -> None:
    for size in SIZES:
        answer = client.get(f"/{kind}/{size}")
        assert answer.status_code == (201 if kind == "response" else 200)
        assert answer.text == text(size), f"{len(answer.text)} of {size}"


@pytest.mark.parametrize("count", [10, 41, 400, 3000])
def test_json_of_an_async_handler(client: httpx.Client, count: int) -> None:
    assert client.get(f"/json/{count}").json() == [text(100)] * count


@pytest.mark.parametrize("kind", ["async", "middle", "deps"])
def test_a_slow_reader_gets_all_of_it(host: str, kind: str) -> None:
    address = urlsplit(host)
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        peer.settimeout(20)
        peer.connect((address.hostname, address.port or 80))
        peer.sendall(
            f"GET /{kind}/100000 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
        )
        got = b"".join(iter(lambda: peer.recv(700), b""))
    assert got.endswith(b"\r\n\r\n" + text(100_000).encode())


@pytest.mark.parametrize("path", ["/grown", "/view"])
def test_what_grows_while_it_is_sent_is_sent_as_it_was(host: str, path: str) -> None:
    """A resizable buffer moves when it grows; another's bytes may then stand where it was."""
    address = urlsplit(host)
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        peer.settimeout(20)
        peer.connect((address.hostname, address.port or 80))
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        got = b"".join(iter(lambda: peer.recv(700), b""))
    head, content = got.split(b"\r\n\r\n", 1)
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    assert length and len(content) == int(length[1])
    assert set(content) == {ord("A")}


def test_what_shrinks_while_it_is_sent_is_cut_short_not_made_up(host: str) -> None:
    address = urlsplit(host)
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        peer.settimeout(20)
        peer.connect((address.hostname, address.port or 80))
        peer.sendall(b"GET /shrunk HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        got = b"".join(iter(lambda: peer.recv(700), b""))
    content = got.split(b"\r\n\r\n", 1)[1]
    assert len(content) < 2_000_000
    assert set(content) == {0}
    assert httpx.get(f"{host}/async/5").text == text(5)


def test_a_file_has_the_name_that_is_stored(client: httpx.Client) -> None:
    assert client.get("/long_name.txt").text == "/www/long_name.txt"
    assert client.get("/Some%20Folder/a.txt").text == "/www/Some Folder/a.txt"
    assert client.get("/file/long_name.txt").text == "/www/long_name.txt"
    assert client.get("/noslash").text == "route"


@pytest.mark.parametrize(
    "path",
    [
        "/LONG_N~1.TXT", "/long_n~1.txt", "/Long_name.txt", "/long_name.TXT",
        "/long_name.txt.", "/long_name.txt%20", "/long_name.txt..", "/long_name.txt%20.",
        "/.secret", "/~1.SEC", "/SECRET~1", "/%7E1.SEC",
        "/SOMEFO~1/a.txt", "/SOME%20FOLDER/a.txt", "/Some%20Folder/A.TXT",
        "/Some%20Folder./a.txt",
        "/NOSLASH", "/noslash.", "/noslash%20", "/Noslash",
        "/INDEX.HTM", "/INDEX~1.HTM", "/file/LONG_N~1.TXT", "/file/Long_name.txt",
    ],
)  # fmt: skip
def test_and_no_other(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404
