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
from running_board import Board, Console
from viper import serial_handlers
from viper.virtual_board import control

NewBoard = Callable[..., Board]
Connect = Callable[[Board], Console]


@pytest.fixture
def chip(board: Board) -> Iterator[ESPLoader]:
    """esptool, connected to the ROM of a blank board."""
    serial_handlers.register()
    with cmds.detect_chip(board.url) as chip:
        yield chip


@pytest.fixture
def stub(chip: ESPLoader) -> ESPLoader:
    """esptool's stub, running on the board."""
    stub = cmds.run_stub(chip)
    cmds.attach_flash(stub)
    return stub


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
    mac = ":".join(board.info.mac[i : i + 2] for i in range(0, 12, 2))
    assert mac in done.stdout
    assert "Embedded PSRAM 8MB" in done.stdout
    assert done.stdout.count("Hash of data verified.") == len(parts)
    board.wait_for_mode("application")
    assert b"payload up" in board.log


def test_the_chip_and_its_flash_are_detected(board: Board, chip: ESPLoader) -> None:
    assert chip.CHIP_NAME == "ESP32-S3"
    assert bytes(chip.read_mac("BASE_MAC")).hex() == board.info.mac
    assert chip.get_chip_description() == "ESP32-S3 (QFN56) (revision v0.2)"
    assert cmds.detect_flash_size(chip) == "16MB"
    assert not chip.get_security_info()["flags"]


@pytest.mark.parametrize("compress", [True, False])
def test_the_stub_writes_verifies_and_reads(board: Board, stub: ESPLoader, compress: bool) -> None:
    stub.change_baud(921600)
    content = os.urandom(20_000) + b"viper" * 20_000
    cmds.write_flash(stub, [(0x11000, content)], compress=compress, no_compress=not compress)
    assert board.flash[0x11000:][: len(content)] == content
    assert stub.read_flash(0x11100, 9000) == content[0x100:][:9000]
    assert stub.flash_md5sum(0x11000, len(content)) == hashlib.md5(content).hexdigest()
    cmds.verify_flash(stub, [(0x11000, content)])
    cmds.erase_region(stub, 0x12000, 0x1000)
    assert (
        board.flash[0x11FFF:0x13001]
        == content[0xFFF:][:1] + b"\xff" * 0x1000 + (content[0x2000:][:1])
    )
    cmds.erase_flash(stub)
    assert board.flash.count(0xFF) == len(board.flash)


@pytest.mark.parametrize("compress", [True, False])
def test_the_rom_writes_verifies_and_reads(board: Board, chip: ESPLoader, compress: bool) -> None:
    cmds.attach_flash(chip)
    content = os.urandom(700) + b"viper" * 900
    cmds.write_flash(chip, [(0x20000, content)], compress=compress, no_compress=not compress)
    assert board.flash[0x20000:][: len(content)] == content
    assert chip.flash_md5sum(0x20000, 100) == hashlib.md5(content[:100]).hexdigest()
    assert chip.read_flash(0x20000, 200) == content[:200]


def test_a_stub_left_running_is_found_again(board: Board, stub: ESPLoader) -> None:
    stub._port.close()
    with cmds.detect_chip(board.url, connect_mode="no-reset") as again:
        assert again.sync_stub_detected
        assert again.flash_md5sum(0, 16) == hashlib.md5(b"\xff" * 16).hexdigest()


@pytest.mark.parametrize("way", ["hard", "watchdog", "rom"])
def test_each_way_of_resetting_starts_the_application(
    new_board: NewBoard, bootable_flash: bytes, way: str
) -> None:
    board = new_board(flash=bootable_flash)
    serial_handlers.register()
    with cmds.detect_chip(board.url) as chip:
        assert board.now().mode == "download"
        if way == "hard":
            chip.hard_reset()
        elif way == "watchdog":
            chip.watchdog_reset()
        else:
            chip.run()
        board.wait_for_mode("application")


def test_another_chip_and_a_smaller_flash_can_be_declared(new_board: NewBoard) -> None:
    serial_handlers.register()
    other = new_board("other", chip="esp32c3")
    with cmds.detect_chip(other.url) as chip:
        assert chip.CHIP_NAME == "ESP32-C3"
    small = new_board("small", flash_size=4 << 20)
    with cmds.detect_chip(small.url) as chip:
        assert cmds.detect_flash_size(chip) == "4MB"


def test_power_lost_leaves_exactly_what_was_programmed(board: Board, stub: ESPLoader) -> None:
    control.set_faults(board.folder, power_after_bytes=20_000)
    with pytest.raises(FatalError):
        cmds.write_flash(stub, [(0, bytes(os.urandom(16)) * 4096)], no_compress=True)
    assert control.counters(board.folder).bytes_programmed == 20_000
    assert board.flash[20_000:].count(0xFF) == len(board.flash) - 20_000
    assert board.now().mode == "off"
    with pytest.raises(FatalError):
        cmds.detect_chip(board.url, connect_attempts=1)
    control.power_on(board.folder)
    with cmds.detect_chip(board.url) as chip:
        cmds.run_stub(chip).erase_flash()


def test_a_bad_sector_fails_the_write_that_needs_it(board: Board, stub: ESPLoader) -> None:
    control.set_faults(board.folder, bad_sector=5)
    with pytest.raises(FatalError):
        cmds.write_flash(stub, [(0x4000, bytes(0x4000))], no_compress=True)
    control.set_faults(board.folder)
    cmds.write_flash(stub, [(0x4000, bytes(0x4000))], no_compress=True)


def test_erased_sectors_are_counted(board: Board, stub: ESPLoader) -> None:
    cmds.write_flash(stub, [(0x8000, bytes(0x3000))])
    assert control.counters(board.folder).sectors_erased == 0  # they were blank
    cmds.write_flash(stub, [(0x9000, bytes(0x1000))])
    counters = control.counters(board.folder)
    assert (counters.sectors_erased, counters.bytes_programmed) == (1, 0x4000)


def test_answers_come_late_when_told(board: Board, chip: ESPLoader) -> None:
    control.set_faults(board.folder, answer_delay_ms=300)
    began = time.monotonic()
    chip.read_reg(0x60007044)
    assert time.monotonic() - began >= 0.3


def test_a_held_line_is_as_fast_as_its_rate_and_no_faster(board: Board, stub: ESPLoader) -> None:
    stub.change_baud(460800)
    control.set_faults(board.folder, hold_line=True)
    content = os.urandom(4 * stub.FLASH_WRITE_SIZE)
    sent = len(content) + content.count(0xC0) + content.count(0xDB)  # escaped by SLIP
    began = time.monotonic()
    stub.flash_begin(len(content), 0)
    for sequence in range(4):
        start = sequence * stub.FLASH_WRITE_SIZE
        stub.flash_block(content[start:][: stub.FLASH_WRITE_SIZE], sequence)
    stub.flash_finish()
    took = time.monotonic() - began
    limit = sent * 10 / 460800
    assert took >= limit
    assert board.flash[: len(content)] == content
