# SPDX-License-Identifier: MIT
"""What handlers may be and give, and what requests may bring them, by handlers_app.py."""

from __future__ import annotations

import itertools
import json
import socket
import time
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from served_app import running_app

NAMES_MAX = 1000  # VHTTP_NAMES_MAX
DEPTH_MAX = 24  # VHTTP_JSON_DEPTH_MAX
NUMBER_MAX = 1000  # VHTTP_JSON_NUMBER_MAX
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_app(request, tmp_path_factory.mktemp("handlers"), "handlers_app.py") as app:
        yield app.address


@pytest.fixture(scope="module")
def client(host: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host, timeout=20) as client:
        yield client


# ---- Generators


@pytest.mark.parametrize(
    ("path", "content_type", "content"),
    [
        ("/yields", "text/plain; charset=utf-8", "ab"),
        ("/yields-later", "application/octet-stream", "/yields-later!"),
        ("/returns/3", "text/plain; charset=utf-8", "0\n1\n2\n"),
        ("/returns-later/3", "text/plain; charset=utf-8", "0\n1\n2\n"),
        ("/returns-expression", "text/plain; charset=utf-8", "xy"),
        ("/returns-coroutine", "text/plain; charset=utf-8", "0\n1\n"),
        ("/with-dependency", "text/plain; charset=utf-8", "0\n1\n2\n"),
        ("/odd", "text/plain; charset=utf-8", "odd"),
    ],
)
def test_a_generator_streams(
    client: httpx.Client, path: str, content_type: str, content: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (200, content)
    assert answer.headers["Content-Type"] == content_type
    assert "Content-Length" not in answer.headers  # nobody knew it


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/yields-nothing", "null"),  # as a function without an answer
        ("/yields-nothing-first", "ab"),
        ("/streams-nothing", "ab"),
        ("/waits-by-yielding", "others had their turn"),
    ],
)
def test_none_is_no_piece_and_lets_others_have_their_turn(
    client: httpx.Client, path: str, content: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (200, content)


@pytest.mark.parametrize("path", ["/returns/1000000000", "/returns-later/1000000000"])
def test_an_endless_generator_is_read_as_it_goes(client: httpx.Client, path: str) -> None:
    closed = client.get("/seen").json().count("closed")
    with client.stream("GET", path) as answer:
        lines = list(itertools.islice(answer.iter_lines(), 5000))
    assert lines == [str(number) for number in range(5000)]
    wait_for_seen(client, "closed", closed + 1)  # and ends with its reader


@pytest.mark.parametrize("path", ["/yields-int", "/dependency-yields", "/streams-int"])
def test_what_cannot_be_streamed_is_an_error_at_once(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (500, {"detail": "Internal Server Error"})


def test_a_generator_that_raises_first(client: httpx.Client) -> None:
    answer = client.get("/raises-first")
    assert (answer.status_code, answer.json()) == (404, {"detail": "none"})


# ---- Tasks


def wait_for_seen(client: httpx.Client, word: str, count: int = 1) -> None:
    deadline = time.monotonic() + 20
    while client.get("/seen").json().count(word) < count:
        assert time.monotonic() < deadline


def test_tasks_go_on_without_a_loop(client: httpx.Client) -> None:
    wait_for_seen(client, "before the start")
    client.get("/make-task")
    wait_for_seen(client, "made")
    client.get("/make-waiting-tasks")
    client.get("/ring")
    wait_for_seen(client, "bell")
    client.get("/cancel")
    wait_for_seen(client, "cancelled")


# ---- What requests hold


@pytest.mark.parametrize(
    ("value", "text"), [(b"a\xffb", "aÿb"), ("ä".encode(), "ä"), (b"\x80", "\x80")]
)
def test_a_header_of_any_bytes(client: httpx.Client, value: bytes, text: str) -> None:
    assert client.get("/header", headers={b"X-A": value}).text == text
    assert client.get("/header", headers={b"X-B": value}).text == "none"


def test_the_demo_reads_a_token_of_any_bytes(http_host: str) -> None:
    for path in ("/sync", "/ota"):
        answer = httpx.get(f"{http_host}{path}", headers={b"X-A": b"\xff"}, timeout=20)
        assert answer.status_code in (401, 403)
        token = {b"Authorization": b"Bearer \xff"}
        assert httpx.get(f"{http_host}{path}", headers=token).status_code in (401, 403)


def test_cookies_of_several_fields(client: httpx.Client) -> None:
    fields = [("Cookie", "a=1; b=2"), ("Cookie", "c=3")]
    assert client.get("/cookies", headers=fields).json() == {"a": "1", "b": "2", "c": "3"}


def test_names_have_a_limit(client: httpx.Client) -> None:
    def form(count: int) -> httpx.Response:
        body = "&".join(f"n{number}" for number in range(count))
        return client.post("/form", content=body, headers=FORM)

    def query(count: int) -> httpx.Response:
        return client.get("/query?" + "&".join("a" for _ in range(count)))

    def body(count: int) -> httpx.Response:
        return client.post("/json", json=[{f"n{number}": 0 for number in range(count)}])

    assert form(NAMES_MAX).json() == NAMES_MAX
    assert form(NAMES_MAX + 1).status_code == 413
    assert query(NAMES_MAX).json() == 1
    assert query(NAMES_MAX + 1).status_code == 400
    assert len(body(NAMES_MAX).json()[0]) == NAMES_MAX
    assert body(NAMES_MAX + 1).status_code == 413
    many = [{"t": number} for number in range(2 * NAMES_MAX)]
    assert client.post("/json", json=many).json() == many


def test_names_that_collide_are_told_apart(client: httpx.Client) -> None:
    """MicroPython's hash of a str has 16 bits: these have the same."""
    names = colliding_names(NAMES_MAX)
    value = {name: number for number, name in enumerate(names)}
    assert client.post("/json", json=value).json() == value
    form = client.post("/form", content="&".join(names * 2)[: 2 * 6 * NAMES_MAX], headers=FORM)
    assert form.status_code == 413
    assert client.post("/form", content="&".join(names), headers=FORM).json() == NAMES_MAX


def colliding_names(count: int) -> list[str]:
    """Words of five letters whose hash is 0x1234 (py/qstr.c: djb2 with an exclusive or)."""
    letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
    inverse = pow(33, -1, 1 << 16)
    names = []
    for start in itertools.product(letters, repeat=3):
        state = 5381
        for letter in start:
            state = (state * 33 ^ letter) & 0xFFFF
        for last in letters:
            middle = ((0x1234 ^ last) * inverse & 0xFFFF) ^ (state * 33 & 0xFFFF)
            if middle < 128 and middle in letters:
                names.append(bytes((*start, middle, last)).decode())
        if len(names) >= count:
            return names[:count]
    raise AssertionError(len(names))


@pytest.mark.parametrize(
    "text",
    [
        "[1 2]", '{"a" 1}', "[1,,2]", "01", "-01", "1.", ".5", "1e", "+1", "0x1", "- 1", "--1",
        "[1,]", '{"a":1,}', "[,1]", "{,}", "[", "]", "{", '"', "'a'", "nul", "nulll", "True",
        "NaN", "Infinity", "-Infinity", "1 2", "[1]]", '{"a":1]', "[1}", '{"a"}', "{1:2}", "",
        '"\\x41"', '"\\u12g4"', '"\\u12"', '"a\nb"', '"\t"', "\ufeff1", "// a\n1", "[1]//",
        '"\\ud83d"', '"\\ude00"', '"\\ud83d\\u0041"', '"\\ud83dx"', '{"\\ud83d":1}', "\x0b1",
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused(client: httpx.Client, text: str) -> None:
    answer = client.post("/json", content=text)
    assert (answer.status_code, answer.json()) == (422, {"detail": "the body is not JSON"})


def test_json_of_no_utf8_is_refused(client: httpx.Client) -> None:
    for text in (b'"\xff"', b'"\xed\xa0\x80"', b'"\xc0\x80"', b'{"\xff":1}', b"\xff", b'"\x00"'):
        assert client.post("/json", content=text).status_code == 422, text


def test_json_is_read_as_it_is_meant(client: httpx.Client) -> None:
    for text in ('"\\ud83d\\ude00"', ' { "a" : [ 1 , -0.5e-3, 1E2 , 0] }\r\n\t', '"\\"\\\\\\/\\b"',
                 '{"a":1,"a":2}', "1" * NUMBER_MAX, "[" * DEPTH_MAX + "]" * DEPTH_MAX, "-0.0",
                 '{"\\u00e4\\uD834\\udd1e":null}', "[[],{},true,false]", "1e-400"):  # fmt: skip
        answer = client.post("/json", content=text)
        assert answer.status_code == 200, text
        if text != '"\\ud83d\\ude00"' and not text.startswith('"'):
            assert answer.json() == json.loads(text)
        else:
            assert answer.text == json.loads(text)


def test_json_has_limits(client: httpx.Client) -> None:
    assert client.post("/json", content="1" * (NUMBER_MAX + 1)).status_code == 413
    deep = "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1)
    assert client.post("/json", content=deep).status_code == 413


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(alphabet=st.characters(codec="utf-8")),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(
            alphabet=st.characters(codec="utf-8")), inner, max_size=4),
        max_leaves=12,
    ),
    st.booleans(),
)  # fmt: skip
def test_any_json_comes_and_goes(client: httpx.Client, value: object, ascii: bool) -> None:
    text = json.dumps([value], ensure_ascii=ascii)
    assert client.post("/json", content=text.encode()).json() == [value]


def test_a_query_parameter_of_a_long_name(client: httpx.Client) -> None:
    assert client.get("/named?a_name_of_many_letters=7").json() == 7


# ---- What responses hold


@pytest.mark.parametrize(
    "cookie",
    [
        *[{"name": "a", "value": value} for value in ("x;HttpOnly", "x\r\nX: y", "a b", 'a"b')],
        *[{"name": "a", "value": value} for value in ("x\x00", "\x7f", "a,b", "a\\b", "\x1f", "ä")],
        *[{"name": name} for name in ("", "a=b", "a;b", "a b", "ä", "a\n")],
        *[{"name": "a", "path": path} for path in ("/; Domain=x", "/\r\n", "/\x00")],
        *[{"name": "a", "samesite": word} for word in ("Lax; Secure", "lazy", "Lax\r\n")],
    ],
)  # fmt: skip
def test_a_cookie_is_no_way_in(client: httpx.Client, cookie: dict[str, str]) -> None:
    answer = client.post("/cookie", json=cookie)
    assert answer.status_code == 500
    assert "Set-Cookie" not in answer.headers


def test_a_cookie(client: httpx.Client) -> None:
    cookie = {"name": "a", "value": "!#b~", "path": "/x y", "samesite": "strict", "max_age": 5}
    answer = client.post("/cookie", json=cookie)
    assert answer.headers["Set-Cookie"] == "a=!#b~; Max-Age=5; Path=/x y; SameSite=strict"


CONTROLS = [chr(code) for code in [*range(9), *range(10, 32), 127]]


@pytest.mark.parametrize("way", ["value", "list", "name", "type", "redirect", "error", "stream"])
def test_no_control_character_in_a_field(client: httpx.Client, way: str) -> None:
    for control in CONTROLS:
        answer = client.post(f"/field/{way}", json=f"a{control}b")
        assert answer.status_code == 500, repr(control)
    assert client.post("/field/value", json="a\tb ä").headers["X-A"] == "a\tb ä"


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ('a"; x="b', "attachment; filename=\"a_; x=_b\"; filename*=UTF-8''a%22%3B%20x%3D%22b"),
        ("a\\", "attachment; filename=\"a_\"; filename*=UTF-8''a%5C"),
        ("ä\r\n", "attachment; filename=\"___\"; filename*=UTF-8''%C3%A4%0D%0A"),
    ],
)
def test_the_name_of_a_download(client: httpx.Client, name: str, field: str) -> None:
    assert client.post("/field/file", json=name).headers["Content-Disposition"] == field


@pytest.mark.parametrize("name", ["a b", "a:", "", "ä", "a(b)", "Content-Length", "connection"])
def test_the_name_of_a_field(client: httpx.Client, name: str) -> None:
    assert client.post("/field/name", json=name).status_code == 500


# ---- The request


def test_a_handler_gets_the_request_as_its_first_argument(client: httpx.Client) -> None:
    answer = client.get("/request/b", params={"q": "1"})
    assert answer.json() == ["/request/b", "b", True, {"q": "1"}]
    assert client.get("/request-later").text == "/request-later"
    assert client.get("/request-named/c").text == "c"
    assert client.get("/who").json() is True


def test_the_address_of_a_request(host: str) -> None:
    with httpx.Client(base_url=host) as client:
        told = client.get("/request-method?a=%20b").json()
    assert told["url"] == f"{host}/request-method?a=%20b"
    assert told["client"][1] == told["port"]
    assert told["port"] > 0


def test_the_port_of_a_client_is_its_own(host: str) -> None:
    ports = []
    for _ in range(2):
        with (
            socket.create_connection((httpx.URL(host).host, httpx.URL(host).port or 80)) as peer,
            peer.makefile("rb") as answer,
        ):
            peer.sendall(b"GET /request-method HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            told = json.loads(answer.read().partition(b"\r\n\r\n")[2])
            ports.append((told["client"], told["url"]))
            if peer.getsockname()[0] == "127.0.0.1":  # nothing translates addresses in between
                assert told["client"] == list(peer.getsockname())
    assert ports[0][1] == "http://a/request-method"


@pytest.mark.parametrize("text", ["", "ada", "a; b", "ä\n", "x" * 200])
def test_a_signed_cookie_is_read_again(host: str, text: str) -> None:
    with httpx.Client(base_url=host) as client:
        field = client.post("/signed", json=text).headers["Set-Cookie"]
        assert "HttpOnly" in field
        assert client.get("/signed/user").text == text


def test_a_signed_cookie_of_somebody_else_is_none(host: str) -> None:
    with httpx.Client(base_url=host) as client:
        client.post("/signed", json="ada")
        value = client.cookies["user"]
        assert client.get("/signed/user", params={"key": "another"}).json() is None
    last = "1" if value[-1] == "0" else "0"
    forged = [value[:-1] + last, "ZXZl" + value[4:], value[:-1], "YWRh", "", "ä", value + "0"]
    for each in forged:
        fields = {"Cookie": f"user={each}".encode()}
        assert httpx.get(f"{host}/signed/user", headers=fields).json() is None, each
    other_name = {"Cookie": f"admin={value}"}
    assert httpx.get(f"{host}/signed/admin", headers=other_name).json() is None


def test_a_cookie_is_forgotten(client: httpx.Client) -> None:
    field = client.get("/forget").headers["Set-Cookie"]
    assert field == "user=; Max-Age=0; Path=/a; SameSite=Lax"


def test_state_of_the_application_and_of_a_request(client: httpx.Client) -> None:
    first, second = client.get("/count").json(), client.get("/count").json()
    assert second[0] == first[0] + 1
    assert (first[1], second[1]) == (False, False)


# ---- Statuses


@pytest.mark.parametrize(
    ("method", "path", "status", "content"),
    [
        ("POST", "/made", 201, '{"made":true}'),
        ("POST", "/made-later", 201, "made"),
        ("POST", "/made-stream", 202, "made"),
        ("POST", "/made-otherwise", 200, "there"),
        ("DELETE", "/made", 204, ""),
        ("GET", "/pair/later", 404, "none"),
        ("GET", "/pair/json", 418, '{"a":1}'),
        ("GET", "/pair/fields", 202, "x"),
        ("GET", "/pair/nothing", 204, ""),
        ("GET", "/pair/response", 202, "<p>"),
        ("GET", "/pair-now", 203, "x"),
    ],
)
def test_the_status_of_an_answer(
    client: httpx.Client, method: str, path: str, status: int, content: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.text) == (status, content)
    assert answer.headers.get("X-A") == (
        "b" if path in ("/pair/fields", "/pair/response") else None
    )


@pytest.mark.parametrize("way", ["one", "two", "four", "status"])
def test_what_no_answer_is_is_no_json_either(client: httpx.Client, way: str) -> None:
    assert client.get(f"/pair/{way}").status_code == 500


def test_a_class_of_handlers(client: httpx.Client) -> None:
    assert client.get("/item/5").json() == [5, 1]
    assert client.put("/item/5", json=7).status_code == 202
    assert client.get("/item/6").json() == [6, 7]
    answer = client.post("/item/5")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD, PUT, OPTIONS")
    client.put("/item/5", json=1)


# ---- Definitions


def test_what_cannot_work_is_refused_where_it_is_defined(client: httpx.Client) -> None:
    outcomes = client.get("/definitions").json()
    refused = ("TypeError: ", "ValueError: ", "KeyError: ")
    accepted = [what for what, outcome in outcomes.items() if not outcome.startswith(refused)]
    assert accepted == []


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("a parameter that the handler lacks", ["/{x}", "'x'"]),
        ("a parameter that nothing gives", ["/a", "'x'"]),
        ("another name for the request", ["/a", "'req'", "'request'"]),
        ("a class that lacks a parameter", ["get", "'x'"]),
        ("no Query", ["/a", "Query"]),
        ("a handler of an exception that another takes", ["odd", "Odd"]),
    ],
)
def test_a_refusal_names_what_it_is_about(
    client: httpx.Client, what: str, names: list[str]
) -> None:
    outcome = client.get("/definitions").json()[what]
    assert [name for name in names if name not in outcome] == []


def test_what_can_work_is_not(client: httpx.Client) -> None:
    assert set(client.get("/accepted").json().values()) == {"accepted"}


def test_nothing_is_added_while_the_server_runs(client: httpx.Client) -> None:
    refused = "RuntimeError: stop the server before adding to it"
    assert client.get("/while-running").json() == [refused] * 3
