# SPDX-License-Identifier: MIT
"""Middleware that stands before everything: mounts, 404 and 405 too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from served_app import running_app

GOOD = {"Authorization": "Bearer good"}
BIG = bytes(range(250)) * 1200
PATHS = [
    *["/site/", "/site/a.txt", "/site/sub", "/site/sub/", "/site/big.bin", "/site/absent"],
    *["/plain/a.txt", "/plain/", "/one", "/health", "/metrics", "/absent", "/site/.hidden"],
    *["/only-post", "/site/only-post", "/absent/pretty"],
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@pytest.fixture(scope="module")
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("everything")
    with running_app(request, folder, "everything_app.py") as app:
        yield app.address


@pytest.fixture
def client(host: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host, timeout=20) as client:
        yield client


@pytest.mark.parametrize("method", METHODS)
def test_nobody_passes_without_the_word(client: httpx.Client, method: str) -> None:
    for path in PATHS:
        for fields in ({}, {"Range": "bytes=0-0"}, {"If-None-Match": "*"}):
            body = b"x" * 100 if method in ("POST", "PUT", "PATCH") else b""
            answer = client.request(method, path, headers=fields, content=body)
            assert answer.status_code == 401, path
            assert answer.text == ("" if method == "HEAD" else '{"detail":"who are you?"}')
            assert "ETag" not in answer.headers and "Allow" not in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status", "content"),
    [
        ("GET", "/site/", 200, b"<p>index</p>"),
        ("GET", "/site/a.txt", 200, b"0123456789"),
        ("GET", "/site/a.txt?query=1", 200, b"0123456789"),
        ("GET", "/site/sub/", 200, b"<p>sub</p>"),
        ("GET", "/site/sub", 301, b""),
        ("GET", "/plain/a.txt", 200, b"0123456789"),
        ("GET", "/plain/sub", 404, b"404 Not Found\n"),
        ("GET", "/plain/", 404, b"404 Not Found\n"),
        ("GET", "/one", 200, b"0123456789"),
        ("GET", "/health", 200, b'{"status":"ok"}\n'),
        ("GET", "/absent", 404, b"404 Not Found\n"),
        ("GET", "/site/absent", 404, b"404 Not Found\n"),
        ("GET", "/site/.hidden", 404, b"404 Not Found\n"),
        ("GET", "/site/A.TXT", 404, b"404 Not Found\n"),
        ("GET", "/site/absent/pretty", 404, b"<p>no such page</p>"),
        ("HEAD", "/site/a.txt", 200, b""),
        ("HEAD", "/site/big.bin", 200, b""),
        ("HEAD", "/absent", 404, b""),
        ("POST", "/one", 405, b""),
        ("GET", "/only-post", 405, b""),
        ("GET", "/site/only-post", 405, b""),
        ("PUT", "/only-post", 405, b""),
        ("DELETE", "/site/a.txt", 405, b""),
        ("POST", "/absent", 404, b"404 Not Found\n"),
        ("POST", "/site/absent", 405, b""),  # a folder is mounted there
        ("OPTIONS", "/only-post", 204, b""),
        ("OPTIONS", "/site/a.txt", 204, b""),
    ],
)
def test_the_answers_are_the_servers_own(
    client: httpx.Client, method: str, path: str, status: int, content: bytes
) -> None:
    answer = client.request(method, path, headers=GOOD)
    assert (answer.status_code, answer.content) == (status, content)
    if "pretty" not in path:
        assert answer.headers["X-Status"] == str(status)
    assert "X-Handler" not in answer.headers  # which asked for no more than handlers


def test_a_long_file(client: httpx.Client) -> None:
    assert client.get("/site/big.bin", headers=GOOD).content == BIG


def test_what_the_methods_are(client: httpx.Client) -> None:
    for path, methods in [
        ("/only-post", "POST, OPTIONS"),
        ("/site/a.txt", "GET, HEAD, POST, OPTIONS"),
        ("/one", "GET, HEAD, OPTIONS"),
    ]:
        assert client.delete(path, headers=GOOD).headers["Allow"] == methods
        assert client.options(path, headers=GOOD).headers["Allow"] == methods


def test_a_redirect_keeps_the_query(client: httpx.Client) -> None:
    assert client.get("/site/sub?a=1", headers=GOOD).headers["Location"] == "/site/sub/?a=1"


@pytest.mark.parametrize("path", ["/site/a.txt", "/site/big.bin", "/one"])
def test_ranges_and_conditions(client: httpx.Client, path: str) -> None:
    content = client.get(path, headers=GOOD)
    tag = content.headers["ETag"]
    part = client.get(path, headers={**GOOD, "Range": "bytes=3-5"})
    assert (part.status_code, part.content) == (206, content.content[3:6])
    assert part.headers["Content-Range"] == f"bytes 3-5/{len(content.content)}"
    assert part.headers["X-Status"] == "200"
    assert client.get(path, headers={**GOOD, "Range": "bytes=999999-"}).status_code == 416
    known = client.get(path, headers={**GOOD, "If-None-Match": tag})
    assert (known.status_code, known.content) == (304, b"")
    assert client.get(path, headers={**GOOD, "If-Match": '"other"'}).status_code == 412
    head = client.head(path, headers=GOOD)
    assert head.headers["Content-Length"] == str(len(content.content))


def test_handlers_are_behind_it_too(client: httpx.Client) -> None:
    assert client.post("/only-post", content=b"x" * 5000).status_code == 401
    answer = client.post("/only-post", content=b"x" * 5000, headers=GOOD)
    assert (answer.status_code, answer.json()) == (200, 5000)
    assert answer.headers["X-Handler"] == "yes"
    assert client.post("/site/a.txt", headers=GOOD).text == "posted"


def test_a_body_that_nobody_reads(client: httpx.Client) -> None:
    """The connection goes on behind it."""
    for content in (b"x" * 60_000, iter([b"y" * 5000, b"z" * 5000])):
        answer = client.post("/site/absent", content=content, headers=GOOD)
        assert answer.status_code == 405
        assert client.get("/site/a.txt", headers=GOOD).text == "0123456789"


@pytest.mark.parametrize(
    "path", ["/site/a.txt", "/site/sub", "/absent", "/health", "/metrics", "/site/big.bin"]
)
def test_fields_are_added_to_every_answer(client: httpx.Client, path: str) -> None:
    def fields(added: str) -> httpx.Headers:
        for _ in range(2):  # the second time from the cache
            answer = client.get(path, headers={**GOOD, "X-Add": added})
        plain = client.get(path, headers=GOOD)
        assert (answer.status_code, answer.content == plain.content) == (
            plain.status_code,
            path != "/metrics",
        )
        assert "X-Y" not in plain.headers
        return answer.headers

    assert fields("X-Y=1|2").get_list("X-Y") == ["1", "2"]
    assert fields("Cache-Control=max-age=60").get_list("Cache-Control") == ["max-age=60"]
    assert fields("content-type=text/x").get_list("Content-Type") == ["text/x"]
    assert "Origin" in fields("Vary=Origin").get_list("Vary")


def test_fields_that_no_answer_may_have(client: httpx.Client) -> None:
    for added in ("Content-Length=1", "X-A=" + "x" * 1500):
        assert client.get("/site/a.txt", headers={**GOOD, "X-Add": added}).status_code == 500
    long = client.get("/site/sub?" + "q" * 900, headers={**GOOD, "X-Add": "X-A=" + "x" * 900})
    assert (long.status_code, long.headers["X-A"]) == (414, "x" * 900)


def test_what_raises_is_500(client: httpx.Client) -> None:
    for path in ("/site/a.txt", "/absent", "/health"):
        answer = client.get(path, headers={"Authorization": "Bearer raises"})
        assert answer.status_code == 500


def test_a_part_of_a_long_file_is_that_of_its_last_version(client: httpx.Client) -> None:
    """All of the same size, and written within the two seconds that FAT's times tell apart."""
    part = {**GOOD, "Range": "bytes=299999-"}
    tags = []
    for byte in b"abcd":
        client.post(f"/big/{byte}", headers=GOOD)
        deadline = time.monotonic() + 20
        while client.get("/site/changing.bin", headers=part).content != bytes([byte]):
            assert time.monotonic() < deadline
        while (tag := client.get("/site/changing.bin", headers=part).headers["ETag"]) in tags:
            assert time.monotonic() < deadline  # what is known of it is a second old at most
        tags.append(tag)
