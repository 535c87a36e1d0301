# SPDX-License-Identifier: MIT
"""The board under the real esptool and with the line held, each behaviour once.

The command line with pyserial's stock client spends 0.1 s on each change of a timeout: one test
goes that way, as a person would, the others through our handler.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from esptool import cmds
from esptool.loader import ESPLoader
from esptool.util import FatalError
from running_board import Board
from viper.ports import serial_urls
from viper.virtual_board import control

NewBoard = Callable[..., Board]


@pytest.fixture(scope="module", autouse=True)
def our_handler() -> None:
    """Let esptool open the boards' ports by our handler, whichever test comes first."""
    serial_urls.register()


@pytest.fixture(scope="module")
def connected(new_shared_board: NewBoard) -> Iterator[tuple[Board, ESPLoader]]:
    """esptool, connected to a board's ROM."""
    board = new_shared_board("rom")
    with cmds.detect_chip(board.url) as chip:
        cmds.attach_flash(chip)
        yield board, chip


@pytest.fixture(scope="module")
def with_stub(new_shared_board: NewBoard) -> Iterator[tuple[Board, ESPLoader]]:
    """esptool with its stub running on a board."""
    board = new_shared_board("stub")
    with cmds.detect_chip(board.url) as chip:
        stub = cmds.run_stub(chip)
        cmds.attach_flash(stub)
        stub.change_baud(460800)
        yield board, stub


@pytest.fixture
def stub(with_stub: tuple[Board, ESPLoader]) -> Iterator[ESPLoader]:
    """That stub, its board's flash erased before the test and its faults gone after it."""
    with_stub[1].erase_flash()
    yield with_stub[1]
    control.set_faults(with_stub[0].folder)


def test_the_command_line_as_it_comes_reads_the_mac(board: Board) -> None:
    command = [sys.executable, "-m", "esptool", "--port", board.info.port_url, "--no-stub"]
    done = subprocess.run(
        [*command, "read-mac"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert bytes.fromhex(board.info.mac).hex(":") in done.stdout
    assert "Embedded PSRAM 8MB" in done.stdout


@pytest.mark.long
def test_the_command_line_as_it_comes_flashes_a_board_that_then_boots(
    board: Board, parts: dict[int, bytes], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "esptool", "--port", board.stock_url, "--baud", "460800"]
    command += ["write-flash", "--flash-size", "keep"]
    for offset, content in parts.items():
        file = tmp_path / f"{offset:x}.bin"
        file.write_bytes(content)
        command += [hex(offset), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Hash of data verified.") == len(parts)
    board.wait_for_mode("application")
    assert b"payload up" in board.log


def test_the_chip_and_its_flash_are_detected(connected: tuple[Board, ESPLoader]) -> None:
    board, chip = connected
    assert chip.CHIP_NAME == "ESP32-S3"
    assert bytes(chip.read_mac("BASE_MAC")).hex() == board.info.mac
    assert chip.get_chip_description() == "ESP32-S3 (QFN56) (revision v0.2)"
    assert cmds.detect_flash_size(chip) == "16MB"
    assert not chip.get_security_info()["flags"]


@pytest.mark.parametrize("compress", [True, False])
def test_the_rom_writes_verifies_and_reads(
    connected: tuple[Board, ESPLoader], compress: bool
) -> None:
    board, rom = connected
    content = os.urandom(700) + b"viper" * 900
    cmds.write_flash(rom, [(0x20000, content)], compress=compress, no_compress=not compress)
    assert board.flash[0x20000:][: len(content)] == content
    assert rom.flash_md5sum(0x20000, 100) == hashlib.md5(content[:100]).hexdigest()
    assert rom.read_flash(0x20000, 200) == content[:200]


def test_answers_come_late_when_told(connected: tuple[Board, ESPLoader]) -> None:
    board, rom = connected
    control.set_faults(board.folder, answer_delay_ms=300)
    began = time.monotonic()
    rom.read_reg(0x60007044)
    took = time.monotonic() - began
    control.set_faults(board.folder)
    assert took >= 0.3


@pytest.mark.parametrize("compress", [True, False])
def test_the_stub_writes_verifies_and_reads(
    with_stub: tuple[Board, ESPLoader], stub: ESPLoader, compress: bool
) -> None:
    board = with_stub[0]
    content = os.urandom(20_000) + b"viper" * 20_000
    cmds.write_flash(stub, [(0x11000, content)], compress=compress, no_compress=not compress)
    assert board.flash[0x11000:][: len(content)] == content
    assert stub.read_flash(0x11100, 9000) == content[0x100:][:9000]
    assert stub.flash_md5sum(0x11000, len(content)) == hashlib.md5(content).hexdigest()
    cmds.verify_flash(stub, [(0x11000, content)])
    cmds.erase_region(stub, 0x12000, 0x1000)
    erased = board.flash[0x11000:][: len(content)]
    assert erased == content[:0x1000] + b"\xff" * 0x1000 + content[0x2000:]
    cmds.erase_flash(stub)
    assert board.flash.count(0xFF) == len(board.flash)


def test_erased_sectors_are_counted(with_stub: tuple[Board, ESPLoader], stub: ESPLoader) -> None:
    folder = with_stub[0].folder
    start = control.counters(folder)
    cmds.write_flash(stub, [(0x8000, bytes(0x3000))])
    blank = control.counters(folder)
    assert blank.sectors_erased == start.sectors_erased  # there was nothing to erase
    cmds.write_flash(stub, [(0x9000, bytes(0x1000))])
    end = control.counters(folder)
    assert end.sectors_erased == start.sectors_erased + 1
    assert end.bytes_programmed == start.bytes_programmed + 0x4000


def test_a_bad_sector_fails_the_write_that_needs_it(
    with_stub: tuple[Board, ESPLoader], stub: ESPLoader
) -> None:
    control.set_faults(with_stub[0].folder, bad_sector=5)
    with pytest.raises(FatalError):
        cmds.write_flash(stub, [(0x4000, bytes(0x4000))], no_compress=True)
    control.set_faults(with_stub[0].folder)
    cmds.write_flash(stub, [(0x4000, bytes(0x4000))], no_compress=True)


def test_a_held_line_is_no_faster_than_its_rate(
    with_stub: tuple[Board, ESPLoader], stub: ESPLoader
) -> None:
    control.set_faults(with_stub[0].folder, hold_line=True)
    content = os.urandom(4 * stub.FLASH_WRITE_SIZE)
    sent = len(content) + content.count(0xC0) + content.count(0xDB)  # escaped by SLIP
    began = time.monotonic()
    stub.flash_begin(len(content), 0)
    for sequence in range(4):
        start = sequence * stub.FLASH_WRITE_SIZE
        stub.flash_block(content[start:][: stub.FLASH_WRITE_SIZE], sequence)
    stub.flash_finish()
    assert time.monotonic() - began >= sent * 10 / 460800
    assert with_stub[0].flash[: len(content)] == content


def test_a_stub_left_running_is_found_again(board: Board) -> None:
    with cmds.detect_chip(board.url) as chip:
        cmds.run_stub(chip)
    with cmds.detect_chip(board.url, connect_mode="no-reset") as again:
        assert again.sync_stub_detected
        assert again.flash_md5sum(0, 4096) == hashlib.md5(b"\xff" * 4096).hexdigest()


@pytest.mark.parametrize("way", ["hard", "watchdog", "rom"])
def test_each_way_of_leaving_the_rom_starts_the_application(
    new_board: NewBoard, bootable_flash: bytes, way: str
) -> None:
    board = new_board(flash=bootable_flash)
    with cmds.detect_chip(board.url) as chip:
        assert board.now().mode == "download"
        {"hard": chip.hard_reset, "watchdog": chip.watchdog_reset, "rom": chip.run}[way]()
        board.wait_for_mode("application")


@pytest.mark.parametrize(
    ("options", "name", "flash_size"),
    [({"chip": "esp32c3"}, "ESP32-C3", "16MB"), ({"flash_size": 4 << 20}, "ESP32-S3", "4MB")],
)
def test_another_chip_and_a_smaller_flash_can_be_declared(
    new_board: NewBoard, options: dict[str, object], name: str, flash_size: str
) -> None:
    board = new_board(**options)
    with cmds.detect_chip(board.url) as chip:
        assert name == chip.CHIP_NAME
        assert cmds.detect_flash_size(chip) is None
        cmds.attach_flash(chip)
        assert cmds.detect_flash_size(chip) == flash_size


def test_power_lost_leaves_exactly_what_was_programmed(board: Board) -> None:
    with cmds.detect_chip(board.url) as chip:
        stub = cmds.run_stub(chip)
        control.set_faults(board.folder, power_after_bytes=20_000)
        stub.flash_begin(0x8000, 0)
        stub.flash_block(bytes(0x4000), 0)
        with pytest.raises(FatalError):
            stub.flash_block(bytes(0x4000), 1, timeout=0.1)
            stub.flash_finish(timeout=0.1)
    assert board.now().mode == "off"
    assert board.flash == bytes(20_000) + b"\xff" * (len(board.flash) - 20_000)
    assert control.counters(board.folder).bytes_programmed == 20_000
    control.power_on(board.folder)
    assert board.now().mode == "bootloader"  # it lives, and has nothing to boot
