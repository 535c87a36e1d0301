# SPDX-License-Identifier: MIT
"""An application's own words for what there is not, and one page for many paths, by
refusals_app.py."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from served_app import running_app

PAGE = "/site/index.html"  # its text
HTML = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
JSON = {"Accept": "application/json"}
BODY_MAX = 65536  # VHTTP_REQUEST_BODY_MAX


@pytest.fixture(scope="module")
def client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    with (
        running_app(request, tmp_path_factory.mktemp("refusals"), "refusals_app.py") as app,
        httpx.Client(base_url=app.address, timeout=20) as client,
    ):
        yield client


# ---- One page


@pytest.mark.parametrize("path", ["/", "/settings", "/settings/wifi", "/settings/", "/assets/"])
def test_a_path_without_a_file_is_the_page(client: httpx.Client, path: str) -> None:
    for _ in range(2):  # from the file system, and from the cache
        answer = client.get(path, headers=HTML)
        assert (answer.status_code, answer.text) == (200, PAGE)
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_the_page_is_always_asked_for(client: httpx.Client) -> None:
    answer = client.get("/settings", headers=HTML)
    assert answer.headers["Cache-Control"] == "no-cache"
    known = client.get("/settings", headers={**HTML, "If-None-Match": answer.headers["ETag"]})
    assert (known.status_code, known.text) == (304, "")
    assert client.head("/settings", headers=HTML).status_code == 200


@pytest.mark.parametrize("path", ["/missing.js", "/assets/app-00000000.js", "/settings/a.b"])
def test_what_has_the_name_of_a_file_is_none(client: httpx.Client, path: str) -> None:
    answer = client.get(path, headers=HTML)
    assert (answer.status_code, answer.text) == (404, f"<h1>no {path}: Not Found</h1>")


def test_who_takes_no_page_gets_none(client: httpx.Client) -> None:
    assert client.get("/settings", headers=JSON).status_code == 404


def test_no_route_has_the_page_in_its_place(client: httpx.Client) -> None:
    answer = client.get("/site-route", headers=HTML)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST, OPTIONS")


# ---- Caches


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/assets/app-C0ffee12.js", "public, max-age=31536000, immutable"),
        ("/notes.txt", "no-store"),
        ("/plain/a.txt", "public, max-age=60"),
    ],
)
def test_how_long_a_file_is_kept(client: httpx.Client, path: str, field: str) -> None:
    for _ in range(3):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, field)
    known = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (known.status_code, known.headers["Cache-Control"]) == (304, field)


# ---- Words of its own


@pytest.mark.parametrize("path", ["/plain/none.txt", "/plain/", "/plain", "/missing.css"])
def test_no_such_file(client: httpx.Client, path: str) -> None:
    for _ in range(2):
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (404, f"<h1>no {path}: Not Found</h1>")
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    head = client.head(path)
    assert (head.status_code, head.content) == (404, b"")


def test_what_a_handler_does_not_find(client: httpx.Client) -> None:
    answer = client.get("/none")
    assert (answer.status_code, answer.text) == (404, "<h1>no /none: no reading</h1>")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/app", "GET, HEAD, OPTIONS"),
        ("POST", "/notes.txt", "GET, HEAD, OPTIONS"),
        ("GET", "/site-route", "POST, OPTIONS"),
    ],
)
def test_another_method(client: httpx.Client, method: str, path: str, allow: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()) == (405, {"own": 405, "method": method})
    assert answer.headers["Allow"] == allow


def test_a_body_that_is_too_long(client: httpx.Client) -> None:
    answer = client.post("/site-route", content=b"x" * (BODY_MAX + 1))
    assert (answer.status_code, answer.json()) == (413, {"own": 413, "path": "/site-route"})
    assert answer.headers["Connection"] == "close"
    assert client.post("/site-route", content=b"x" * BODY_MAX).text == "posted"


def test_an_exception_that_nobody_foresaw(client: httpx.Client) -> None:
    answer = client.get("/raises")
    assert (answer.status_code, answer.text) == (500, "own 500: unforeseen")


def test_another_status_is_its_class_s(client: httpx.Client) -> None:
    answer = client.get("/teapot")
    assert (answer.status_code, answer.json()) == (418, {"own": 418})
