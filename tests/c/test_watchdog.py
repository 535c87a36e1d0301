# SPDX-License-Identifier: MIT
"""The watchdog of the server's thread: over a port that stalls, and where nothing is wrong."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
import test_esp32_port
from test_serving import build

WATCHDOG_S = 1.0
SETTINGS = {"VHTTP_WATCHDOG_MS": int(WATCHDOG_S * 1000)}
WRAP = ["-Wl,--wrap=vhttp_recv"]
EXIT_WATCHDOG = 4
LINE = "viperhttp: the server stands still at 'receive', after "


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("stall"), "stall", WRAP, SETTINGS)


class Device:
    """A server's process, with memory that outlives it, as a reset does not touch it."""

    def __init__(self, program: Path, folder: Path, page: int) -> None:
        self.process = subprocess.Popen(
            [program, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "VIRTUAL_CHIP_FD": str(page)},
            pass_fds=[page],
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline().rsplit(":", 1)[1].rstrip("/\n"))

    def get(self, path: str) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        status, text = answer.status, answer.read().decode()
        connection.close()
        return status, text

    def stall(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as peer:
            peer.sendall(b"STALL")
            self.process.wait(60)


@pytest.fixture
def page() -> Iterator[int]:
    fd = os.memfd_create("page")
    os.ftruncate(fd, 4096)
    yield fd
    os.close(fd)


@contextlib.contextmanager
def started(program: Path, folder: Path, page: int) -> Iterator[Device]:
    device = Device(program, folder, page)
    try:
        yield device
    finally:
        device.process.kill()
        device.process.communicate()


def test_where_it_stands_is_kept_over_the_reset(program: Path, tmp_path: Path, page: int) -> None:
    for count in range(1, 3):
        with started(program, tmp_path, page) as device:
            before = device.get("/metrics")[1]
            assert f"viperhttp_stalls_total {count - 1}\n" in before
            device.stall()
            assert device.process.returncode == EXIT_WATCHDOG
            assert device.process.stderr and LINE in device.process.stderr.read()
    with started(program, tmp_path, page) as device:
        after = device.get("/metrics")[1]
    assert "viperhttp_stalls_total 2\n" in after
    assert 'viperhttp_last_stall_info{place="receive",after_ms="' in after


def test_memory_that_holds_anything_is_no_record(program: Path, tmp_path: Path, page: int) -> None:
    os.pwrite(page, b"\xa5" * 4096, 0)
    with started(program, tmp_path, page) as device:
        assert "viperhttp_stalls_total 0\n" in device.get("/metrics")[1]


def test_python_that_is_busy_is_no_stall(program: Path, tmp_path: Path, page: int) -> None:
    """Two seconds of it; nor is a server that nobody asks for anything."""
    with started(program, tmp_path, page) as device:
        device.get("/sleep")
        time.sleep(2 * WATCHDOG_S)  # the time itself is what is tested
        assert device.get("/health")[0] == 200
        assert device.process.poll() is None


def test_time_in_which_nothing_runs_does_not_count(
    program: Path, tmp_path: Path, page: int
) -> None:
    """As while the chip writes to its flash: no thread runs, the watchdog's neither."""
    with started(program, tmp_path, page) as device:
        device.process.send_signal(signal.SIGSTOP)
        time.sleep(2 * WATCHDOG_S)  # the time itself is what is tested
        device.process.send_signal(signal.SIGCONT)
        assert device.get("/health")[0] == 200
        assert device.process.poll() is None


def test_the_chip_prints_where_each_task_is(tmp_path: Path, page: int) -> None:
    """The port to the ESP32, on doubles."""
    program = test_esp32_port.build(tmp_path, "stall", WRAP, **SETTINGS)
    with started(program, tmp_path, page) as device:
        device.stall()
        assert device.process.stderr
        printed = device.process.stderr.read()
    assert printed.index(LINE) < printed.index("backtraces of all tasks")
    assert f"abort: {LINE}" in printed


def test_the_chip_tells_its_memory_its_tasks_and_its_network(tmp_path: Path, page: int) -> None:
    program = test_esp32_port.build(tmp_path, "stall", WRAP)
    with started(program, tmp_path, page) as device:
        told = device.get("/metrics")[1]
    for line in [
        'viperhttp_reset_info{reason="power-on"} 1',
        "viperhttp_resets_total 0",
        f'viperhttp_largest_bytes{{memory="internal"}} {320 * 1024 // 8}',
        f'viperhttp_least_free_bytes{{memory="psram"}} {8 * 1024 * 1024 // 4}',
        'viperhttp_stack_free_bytes{task="tiT"} 2400',
        'viperhttp_lwip_dropped_total{protocol="tcp"} 3',
        "viperhttp_sockets_open 2",  # the listener, and who asks
    ]:
        assert f"{line}\n" in told, told
