# SPDX-License-Identifier: MIT
"""Who may change a device over the network, with a listener and a liar on the way.

The board's application answers every HTTPException itself, as an application may.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from dropping_proxy import DroppingProxy
from project import copy_project
from running_board import Board
from sealed_client import SealedClient
from viper.base.errors import UserError
from viper.base.mac import Mac
from viper.device import http_page, network_token
from viper.image import app_image
from viper.update import ota
from viper.update.ota import Update

HANDLER = """\
from viperhttp import HTTPException, HTMLResponse

@app.exception_handler(HTTPException)
@app.exception_handler(Exception)
def apologise(request, error):
    return HTMLResponse("<h1>Sorry</h1>", 200)

app.mount("/","""
NEW = "0123456789abcdef"
PIECE = b"what is written to a slot" * 8


@pytest.fixture(scope="module")
def board(
    built: Path,
    new_shared_board: Callable[..., Board],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Board]:
    project = copy_project(built, tmp_path_factory.mktemp("sealed") / "project")
    project.edit("firmware/app/main.py", 'app.mount("/",', HANDLER)
    project.scons("image")
    flash = project.path("build/VIRTUAL_N16R8/flash.bin").read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        board = new_shared_board("sealed", flash)
        http_page.wait_until_served(board.info.http_port, "")
        network_token.give(board.url, "")
        http_page.wait_until_served(board.info.http_port, "")
        yield board


@pytest.fixture
def token(board: Board) -> str:
    token = network_token.load(Mac(board.info.mac))
    assert token is not None
    return token


@pytest.fixture
def client(board: Board, token: str) -> Iterator[SealedClient]:
    with SealedClient(f"http://127.0.0.1:{board.info.http_port}", token) as client:
        yield client


@pytest.fixture(scope="module")
def new(built: Path) -> bytes:
    """The firmware with another build id."""
    elf = (built / "build/VIRTUAL_N16R8/firmware/micropython").read_bytes()
    record = json.loads((built / "build/VIRTUAL_N16R8/firmware.json").read_text())
    elf = elf.replace(record["build"].encode(), NEW.encode())
    return app_image.build_app(elf, project="viperhttp", version=NEW, flash_size=16 << 20)


def update(port: int, image: bytes) -> ota.Result:
    request = Update(f"127.0.0.1:{port}", image, NEW, "./scons ota HOST=it")
    return ota.update(request, lambda done: None)


def test_a_listener_learns_no_secret(board: Board, token: str, new: bytes) -> None:
    with DroppingProxy(board.info.http_port) as network:
        assert update(network.port, new).build == NEW
    heard = bytes(network.heard)
    key = hashlib.sha256(token.encode())
    for secret in (token.encode(), key.digest(), key.hexdigest().encode()):
        assert secret not in heard


def test_a_request_is_good_for_one_time(client: SealedClient) -> None:
    assert client.get("/ota").status_code == 200
    assert client.again().status_code == 401
    assert client.post("/ota/confirm").status_code == 200
    assert client.again().status_code == 401


DIGEST = hashlib.sha256(PIECE).hexdigest()
OTHER = PIECE.replace(b"slot", b"hole")


@pytest.mark.parametrize(
    "altered",
    [
        {"content": OTHER},
        {"content": b""},
        {"target": f"/ota/chunks/4?sha256={DIGEST}"},
        {"target": f"/ota/chunks/3?sha256={DIGEST}&x=1"},
        {"target": f"/ota/chunks/3?sha256={hashlib.sha256(OTHER).hexdigest()}", "content": OTHER},
        {"headers": {"Content-Encoding": "deflate"}},
        {"nonce": "0" * 32},
        {"nonce": "None"},
    ],
)
def test_what_was_altered_on_the_way_is_refused(
    board: Board, client: SealedClient, altered: dict[str, object]
) -> None:
    before = board.flash
    target = f"/ota/chunks/3?sha256={DIGEST}"
    assert client.ask("PUT", target, PIECE, **altered).status_code == 401
    assert board.flash == before


def test_a_method_cannot_be_exchanged(client: SealedClient) -> None:
    # It is refused as to anybody: the application's own page says so, with a status of its own.
    refused = client.ask("GET", "/sync", method="POST")
    assert refused.content == b"<h1>Sorry</h1>" and "GET" in refused.headers["Allow"]
    refused = client.ask("POST", "/ota/confirm", method="GET")
    assert refused.content == b"<h1>Sorry</h1>" and "POST" in refused.headers["Allow"]


def test_a_request_to_one_endpoint_is_none_to_another(client: SealedClient) -> None:
    assert client.ask("GET", "/ota", target="/sync").status_code == 401


def test_strangers_who_ask_drive_out_nobody(client: SealedClient) -> None:
    answer = client.get("/ota")
    following = answer.headers["Authentication-Info"][len('nextnonce="') : -1]
    for _ in range(100):
        client.challenge("/ota")
    assert client.ask("GET", "/ota", nonce=following).status_code == 200


def test_numbers_that_were_never_used_give_way(client: SealedClient) -> None:
    first = client.challenge("/ota")
    for _ in range(100):
        last = client.challenge("/ota")
    assert client.ask("GET", "/ota", nonce=first).status_code == 401
    assert client.ask("GET", "/ota", nonce=last).status_code == 200


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        (b'"build"', b'"Build"'),
        (b'"on_probation": false', b'"on_probation": true '),
        (b"nextnonce=", b"nextnonse="),
        (b"HTTP/1.1 200 OK", b"HTTP/1.1 201 OK"),
    ],
)
def test_an_answer_that_was_altered_is_not_believed(
    board: Board, new: bytes, said: bytes, instead: bytes
) -> None:
    def alter(data: bytes) -> bytes:
        return data.replace(said, instead)

    with (
        DroppingProxy(board.info.http_port, alter=alter) as network,
        pytest.raises(UserError, match="not sealed with the device's token"),
    ):
        update(network.port, new)
    assert said in network.heard


def test_what_a_handler_refuses_is_told_though_the_application_answers_errors(
    client: SealedClient,
) -> None:
    answer = client.put(f"/ota/chunks/0?sha256={DIGEST}", b"")
    assert (answer.status_code, answer.json()) == (413, {"detail": "a chunk has 1 to 16384 bytes"})
    assert answer.seal


def test_without_a_token_the_application_takes_no_part(
    board: Board, new: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(UserError, match=f"no token for the device {board.info.mac}"):
        update(board.info.http_port, new)


@pytest.mark.parametrize("scheme", ["hmac-sha256", "Hmac-Sha256"])
def test_the_schemes_name_in_any_case(client: SealedClient, scheme: str) -> None:
    assert client.ask("GET", "/sync", scheme=scheme).status_code == 200


def test_which_files_there_are_is_told_to_holders_alone(board: Board, client: SealedClient) -> None:
    plain = httpx.get(f"http://127.0.0.1:{board.info.http_port}/perf/files", timeout=60)
    assert plain.status_code == 401
    answer = client.ask("GET", "/perf/files", nonce=client.challenge("/ota"))
    assert (answer.status_code, len(answer.json()["sha256"])) == (200, 64)
