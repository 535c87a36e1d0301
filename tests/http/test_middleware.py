# SPDX-License-Identifier: MIT
"""Middleware, in a program that is an asyncio loop; and soft resets under load."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import serial
from served_app import ServedApp, running_app
from viper.virtual_board import control


@pytest.fixture(scope="module")
def app(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedApp]:
    with running_app(request, tmp_path_factory.mktemp("middleware"), "middleware_app.py") as app:
        yield app


@pytest.fixture
def client(app: ServedApp) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=app.address) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "status", "content"),
    [
        ("/value/5", 200, '{"x":5}'),
        ("/later", 200, "/later"),
        ("/raises", 500, '{"detail":"Internal Server Error"}'),
        ("/stream", 200, "ab"),
    ],
)
def test_around_every_handler(client: httpx.Client, path: str, status: int, content: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.text) == (status, content)
    assert answer.headers["X-Inner"] == answer.headers["X-Outer"] == str(status)


def test_in_place_of_a_handler(client: httpx.Client) -> None:
    answer = client.get("/denied")
    assert (answer.status_code, answer.json()) == (403, {"denied": True})


def test_the_program_goes_on(client: httpx.Client) -> None:
    before = client.get("/ticks").json()
    deadline = time.monotonic() + 60
    while client.get("/ticks").json() < before + 3:
        assert time.monotonic() < deadline


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/value/1", timeout=60).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("resets", [20, pytest.param(100, marks=pytest.mark.long)])
def test_soft_resets_under_load(app: ServedApp, resets: int) -> None:
    board = control.running(app.virtual_board("Ctrl-C and Ctrl-D on its serial port"))
    assert board
    over = threading.Event()

    def load() -> None:
        while not over.is_set():
            for path in ("/value/1", "/later", "/stream"):
                with contextlib.suppress(httpx.TransportError):  # it is being reset
                    httpx.get(app.address + path, timeout=10)

    clients = [threading.Thread(target=load) for _ in range(3)]
    for client in clients:
        client.start()
    try:
        with serial.serial_for_url(f"{board.port_url}?ign_set_control", timeout=10) as port:
            for _ in range(resets):
                port.write(b"\x03")  # ends the program
                port.read_until(b">>> ")
                port.write(b"\x04")
                assert b"soft reboot" in port.read_until(b"soft reboot")
                started = port.read_until(b"at http://")
                assert started.endswith(b"at http://"), started
                assert answers(app.address)
    finally:
        over.set()
        for client in clients:
            client.join()
