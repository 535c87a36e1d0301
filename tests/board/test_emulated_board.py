# SPDX-License-Identifier: MIT
"""An emulated board, driven by esptool and mpremote as they come: real QEMU's double runs in it."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import qemu_double
from project import ROOT
from running_board import Board, Console
from viper.base.errors import UserError
from viper.emulator import program
from viper.emulator.start import start
from viper.source import board as boards
from viper.virtual_board import control

FLASH_SIZE = 16 << 20
SERVES = b" at http://"  # how the demo says so


@pytest.fixture
def qemu(tmp_path: Path) -> Path:
    return qemu_double.program(tmp_path)


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """How the double has been started, a line to each."""
    monkeypatch.setenv("QEMU_DOUBLE_CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


@pytest.fixture
def board(tmp_path: Path, calls: Path, qemu: Path) -> Iterator[Board]:
    """A board with an erased flash."""
    folder = tmp_path / "an, emulated board"
    try:
        yield Board(folder, started(folder, qemu))
    finally:
        control.stop(folder)


def started(folder: Path, qemu: Path, board: str = "ESP32S3_N16R8") -> control.BoardInfo:
    return start(folder, "bench", None, str(qemu), boards.load(ROOT / "boards", board), None)


def esptool(board: Board, *arguments: str) -> str:
    """Run esptool as it comes; what it prints."""
    command = [sys.executable, "-m", "esptool", "--port", board.stock_url, "--baud", "460800"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def straps(calls: Path) -> list[str]:
    """The strap_mode of each start; "" where none was given."""
    words = [json.loads(line) for line in calls.read_text().splitlines()]
    return ["".join(word for word in each if "strap_mode" in word) for each in words]


def test_esptool_writes_it_by_the_serial_protocol_alone(
    board: Board, calls: Path, tmp_path: Path
) -> None:
    assert board.flash == b"\xff" * FLASH_SIZE
    mac = ":".join(board.info.mac[at : at + 2] for at in range(0, 12, 2))
    data = random.Random(1).randbytes(12 * 1024)
    (tmp_path / "data").write_bytes(data)
    assert mac in esptool(board, "write-flash", "0x10000", str(tmp_path / "data"))
    assert board.flash == b"\xff" * 0x10000 + data + b"\xff" * (FLASH_SIZE - 0x10000 - len(data))
    assert board.now().port_url == board.info.port_url
    board.wait_for_mode("application")  # which esptool has left it to
    download = "driver=esp32s3.gpio,property=strap_mode,value=0x07"
    assert straps(calls)[0] == "" and download in straps(calls)


def test_its_flash_keeps_when_it_is_off(board: Board, qemu: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"kept")
    esptool(board, "write-flash", "0", str(tmp_path / "data"))
    assert control.stop(board.folder)
    again = started(board.folder, qemu)
    assert board.flash.startswith(b"kept")
    assert again.mac == board.info.mac


@pytest.fixture
def serving(tmp_path: Path, calls: Path, qemu: Path, built: Path) -> Iterator[Board]:
    """A board with a program on it, as if it had been flashed."""
    folder = tmp_path / "with a program"
    folder.mkdir()
    outputs = built / "build/VIRTUAL_N16R8"
    (folder / "flash.bin").write_bytes((outputs / "flash.bin").read_bytes())
    try:
        yield Board(folder, started(folder, qemu))
    finally:
        control.stop(folder)


def test_mpremote_talks_to_its_program_as_it_comes(serving: Board) -> None:
    serving.wait_for_log(SERVES)
    command = [sys.executable, "-m", "mpremote", "connect", serving.stock_url, "exec"]
    for number in (1, 2):
        done = subprocess.run(
            [*command, f"print('answer', {number} + 40)"],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.stdout == f"answer {number + 40}\n", done.stdout + done.stderr


def test_a_reset_goes_through_the_monitor(serving: Board, calls: Path) -> None:
    """By its button and by RTS: QEMU goes on, and the chip starts from its ROM."""
    serving.wait_for_log(SERVES)
    for press in (lambda: control.reset(serving.folder), _pulse(serving)):
        known = len(serving.log)
        press()
        serving.wait_for_log_after(known, SERVES)
        assert b"ESP-ROM:" in serving.log[known:]
    assert len(straps(calls)) == 1


def _pulse(board: Board) -> Callable[[], None]:
    def press() -> None:
        console = Console(board.url)
        try:
            console.pulse_reset()
            console.expect(b"rst:0x1")
        finally:
            console.close()

    return press


def test_both_ports_stay_open_while_it_starts_anew(serving: Board) -> None:
    """A client of the page's port is let in, and told that nobody is there: not refused."""
    serving.wait_for_log(SERVES)
    console = Console(serving.url)
    try:
        console.port.dtr, console.port.rts = False, True
        console.port.dtr, console.port.rts = True, False
        console.expect(b"waiting for download")
        with socket.create_connection(("127.0.0.1", serving.info.http_port), 10) as page:
            page.settimeout(60)
            page.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert page.recv(1) == b""
        console.pulse_reset()
        console.expect(SERVES)
    finally:
        console.close()


def qemu_of(board: Board) -> int:
    """The process of QEMU."""
    pid = board.info.pid
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


def test_a_qemu_that_ends_is_told_of_and_started_by_a_reset(serving: Board) -> None:
    serving.wait_for_log(SERVES)
    known = len(serving.log)
    os.kill(qemu_of(serving), signal.SIGKILL)
    serving.wait_for_log_after(known, b"halted: QEMU has ended")
    serving.wait_for_mode("halted")
    known = len(serving.log)
    control.reset(serving.folder)
    serving.wait_for_log_after(known, SERVES)


def test_no_qemu_is_left_when_the_board_is_switched_off(serving: Board) -> None:
    serving.wait_for_log(SERVES)
    qemu = os.pidfd_open(qemu_of(serving))
    os.kill(serving.info.pid, signal.SIGKILL)
    assert select.select([qemu], [], [], 60)[0], "QEMU goes on"
    os.close(qemu)


@pytest.mark.parametrize("text", ["", "none    empty machine"])
def test_another_qemu_is_refused(tmp_path: Path, text: str) -> None:
    other = tmp_path / "qemu"
    other.write_text(f"#!/bin/sh\necho '{text}'\n")
    other.chmod(0o755)
    with pytest.raises(UserError, match="has no machine 'esp32s3'") as refused:
        started(tmp_path / "board", other)
    assert "./scons idf" in refused.value.next_step
    assert not (tmp_path / "board").exists()


def test_one_whose_libraries_are_missing_names_their_packages(tmp_path: Path) -> None:
    other = tmp_path / "qemu"
    other.write_text(
        "#!/bin/sh\necho 'error while loading shared libraries: libslirp.so.0' >&2\nexit 127"
    )
    other.chmod(0o755)
    with pytest.raises(UserError, match=r"libslirp\.so\.0") as refused:
        started(tmp_path / "board", other)
    assert refused.value.next_step == f"sudo apt install {' '.join(program.PACKAGES)}"


def test_an_emulated_board_stays_what_it_was_made_as(board: Board, qemu: Path) -> None:
    with pytest.raises(UserError, match="is an ESP32-S3 with 16 MB") as refused:
        started(board.folder, qemu, "ESP32_SPIRAM")
    assert refused.value.next_step.endswith("PORT=qemu:esp32")


def test_a_port_that_is_taken_is_told_of(tmp_path: Path, qemu: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        number = other.getsockname()[1]
        with pytest.raises(UserError, match=f"emulated board 'x': HTTP port {number} is taken"):
            its = boards.load(ROOT / "boards", "ESP32S3_N16R8")
            start(tmp_path / "board", "x", number, str(qemu), its, None)
