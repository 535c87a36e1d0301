# SPDX-License-Identifier: MIT
"""What runs on the board: booting from flash, the console, resets, crashes."""

from __future__ import annotations

import hashlib
import os
import select
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from otadata_records import VALID, selecting
from running_board import Board, Console
from viper.image import app_image, otadata, partition_table
from viper.virtual_board import control

OTADATA = 0xD000
OTA_0 = 0x310000
FACTORY = 0x10000

NewBoard = Callable[..., Board]
Connect = Callable[[Board], Console]


@pytest.fixture(scope="module")
def shared(new_shared_board: NewBoard, bootable_flash: bytes) -> Iterator[tuple[Board, Console]]:
    board = new_shared_board(flash=bootable_flash)
    console = Console(board.url)
    yield board, console
    console.close()


@pytest.fixture
def console(shared: tuple[Board, Console]) -> Console:
    """The console of a board whose application has just started."""
    board, console = shared
    control.power_off(board.folder)
    console.drain()
    control.power_on(board.folder)
    console.expect(b"payload up: 1 micropython\r\n")
    return console


@pytest.fixture
def running(shared: tuple[Board, Console], console: Console) -> Board:
    """That board."""
    return shared[0]


@pytest.fixture
def own(new_board: NewBoard, bootable_flash: bytes) -> Board:
    """A board of the test's own, whose application runs and whose port is free."""
    board = new_board(flash=bootable_flash)
    board.wait_for_mode("application")
    return board


def heap_size(board: Board) -> int:
    """Bytes of data that the board's process has."""
    status = Path(f"/proc/{board.info.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmData:"))
    return int(line.split()[1]) * 1024


def patched(flash: bytes, offset: int, content: bytes) -> bytes:
    return flash[:offset] + content + flash[offset + len(content) :]


def test_the_application_has_a_terminal_a_session_and_nothing_else(
    running: Board, console: Console
) -> None:
    console.send(b"v\n")
    told = console.expect(b"session 1 1\r\n").decode()
    names = {line.split("=")[0] for line in told.split("\r\n") if line.startswith("env ")}
    kinds = ("FLASH_FD", "CHIP_FD", "FORWARD", "RUNNING_APP", "RESET", "RESETS")
    assert names == {f"env VIRTUAL_{kind}" for kind in kinds}
    assert f"VIRTUAL_RUNNING_APP={FACTORY}\r\n" in told
    assert f"VIRTUAL_FORWARD=80:{running.info.http_port}\r\n" in told
    console.send(b"f\n")
    descriptors = console.expect(b"\r\n").split()[1:]
    assert len(descriptors) == 5  # three of the terminal, flash and page


def test_a_board_has_the_psram_that_it_was_made_with(
    new_board: NewBoard, bootable_flash: bytes, connect: Connect
) -> None:
    made = new_board(flash=bootable_flash, psram_size=2 << 20)
    control.stop(made.folder)
    console = connect(Board(made.folder, control.start(made.folder, "board")))
    console.send(b"r\n")
    assert int(console.expect(b"\r\n").split()[4], 16) >> 32 == 2 << 20


def test_the_shared_page_tells_what_the_chip_is(running: Board, console: Console) -> None:
    console.send(b"p 0x20000\nr\n")
    words = console.expect(b"\r\n").split()
    assert words[1:4] == [b"1", b"0", b"-1"]
    assert int(words[4], 16) == 0x800000 << 32 | 0xFFFFFFFF  # PSRAM, and no bad sector
    mac = int(words[5], 16).to_bytes(8, "little")[:6]
    assert mac.hex() == running.info.mac
    assert running.flash[0x20000] == 0
    assert control.counters(running.folder).bytes_programmed == 1


def test_boots_from_flash_only_and_says_so(
    new_board: NewBoard, bootable_flash: bytes, connect: Connect
) -> None:
    board = new_board(flash=bootable_flash)
    console = connect(board)
    console.pulse_reset()
    log = console.expect(b"payload up: 1 micropython\r\n")
    assert b"rst:0x1 (POWERON),boot:0x8 (SPI_FAST_FLASH_BOOT)" in log
    assert b"loaded factory at 0x10000: test 1" in log
    assert b"boot:  5 vfs" in log
    assert log.endswith(b"payload up: 1 micropython\r\n")
    assert board.log.endswith(log)


def test_a_client_that_comes_and_goes_does_not_reset_the_application(
    own: Board, connect: Connect
) -> None:
    for number in range(2):
        console = connect(own)
        console.send(b"%d\n" % number)
        assert console.expect(b"\r\n") == b"echo %d\r\n" % number  # and no boot log before it
        console.close()


def test_otadata_selects_the_slot(new_board: NewBoard, bootable_flash: bytes, app: bytes) -> None:
    flash = patched(bootable_flash, OTA_0, app)
    flash = patched(flash, OTADATA, selecting(0))
    board = new_board(flash=flash)
    board.wait_for_mode("application")
    assert b"loaded ota_0 at 0x310000" in board.log


@pytest.mark.parametrize("damage", ["image", "nothing there"])
def test_falls_back_to_factory(
    new_board: NewBoard, bootable_flash: bytes, app: bytes, damage: str
) -> None:
    broken = patched(app, len(app) // 2, bytes([app[len(app) // 2] ^ 1]))
    flash = patched(bootable_flash, OTADATA, selecting(0))
    if damage == "image":
        flash = patched(flash, OTA_0, broken)
    board = new_board(flash=flash)
    board.wait_for_mode("application")
    log = board.log
    assert b"ota_0 at 0x310000 is not bootable" in log
    assert b"loaded factory" in log


def flash_by(csv: str, bootable_flash: bytes, **apps: bytes) -> bytes:
    """A flash with another partition table, and applications in some of its partitions."""
    table = partition_table.from_csv(csv, 16 << 20, "esp32s3")
    flash = patched(bootable_flash, FACTORY, b"\xff" * 0x400000)
    flash = patched(flash, partition_table.TABLE_OFFSET, table.to_binary())
    for name, app in apps.items():
        flash = patched(flash, table[name].offset, app)
    return flash


def test_without_a_factory_the_slot_that_boots_is_noted(
    new_board: NewBoard, bootable_flash: bytes, app: bytes
) -> None:
    csv = "otadata, data, ota, 0xd000, 8K\na, app, ota_0,, 1M\nb, app, ota_1,, 1M\n"
    board = new_board(flash=flash_by(csv, bootable_flash, b=app))
    board.wait_for_mode("application")
    assert b"a at 0x10000 is not bootable" in board.log
    assert b"loaded b at 0x110000" in board.log
    assert board.flash[OTADATA:][: otadata.SIZE] == selecting(1, VALID)


def test_the_test_application_is_the_last_resort(
    new_board: NewBoard, bootable_flash: bytes, app: bytes
) -> None:
    csv = "t, app, test, 0x10000, 1M\nf, app, factory,, 1M\na, app, ota_0,, 1M\n"
    board = new_board(flash=flash_by(csv, bootable_flash, t=app))
    board.wait_for_mode("application")
    log = board.log
    assert log.index(b"f at 0x110000 is not") < log.index(b"a at 0x210000 is not")
    assert b"loaded t at 0x10000" in log


def test_an_image_for_a_later_chip_is_passed_over_and_one_without_a_digest_is_not(
    new_board: NewBoard, bootable_flash: bytes, app: bytes
) -> None:
    csv = "f, app, factory, 0x10000, 1M\na, app, ota_0,, 1M\n"
    later = app[:15] + (300).to_bytes(2, "little") + app[17:-32]
    later += hashlib.sha256(later).digest()
    bare = app[:23] + b"\0" + app[24:-32]
    board = new_board(flash=flash_by(csv, bootable_flash, f=later, a=bare))
    board.wait_for_mode("application")
    assert b"is not bootable: image needs chip revision v3.0 or later" in board.log
    assert b"loaded a at 0x110000" in board.log


def test_a_table_without_an_md5_boots(new_board: NewBoard, bootable_flash: bytes) -> None:
    table = partition_table.TABLE_OFFSET
    at = bootable_flash.index(b"\xeb\xeb" + b"\xff" * 14, table)
    board = new_board(flash=patched(bootable_flash, at, b"\xff" * 32))
    board.wait_for_mode("application")


def test_a_partition_beyond_what_the_bootloader_knows_of_the_flash_is_refused(
    new_board: NewBoard, bootable_flash: bytes
) -> None:
    small = app_image.build_bootloader(flash_size=8 << 20)
    board = new_board(flash=patched(bootable_flash, 0, small))
    board.wait_for_log(b"partition table: partition 5 at 0x610000")
    board.wait_for_mode("bootloader")


def test_an_update_that_never_confirms_itself_is_rolled_back(
    new_board: NewBoard, bootable_flash: bytes, app: bytes
) -> None:
    flash = patched(bootable_flash, OTA_0, app)
    flash = patched(flash, OTADATA, selecting(0, otadata.State.NEW))
    board = new_board(flash=flash)
    board.wait_for_mode("application")
    control.reset(board.folder)
    board.wait_for_mode("application")
    log = board.log
    assert log.index(b"loaded ota_0") < log.index(b"loaded factory")
    assert otadata.parse(board.flash[OTADATA:][: otadata.SIZE])[0].state == otadata.State.ABORTED


@pytest.mark.parametrize(
    ("offset", "said", "reset"),
    [
        (0x30, b"invalid header", b"rst:0x7 (TG0WDT_SYS_RST)"),
        (0x8001, b"partition table:", b"rst:0x3 (RTC_SW_SYS_RST)"),
        (FACTORY + 99, b"not bootable", b"rst:0x3 (RTC_SW_SYS_RST)"),
    ],
)
def test_damaged_flash_boots_nothing_and_says_what_at_each_reset(
    new_board: NewBoard,
    bootable_flash: bytes,
    connect: Connect,
    offset: int,
    said: bytes,
    reset: bytes,
) -> None:
    flash = patched(bootable_flash, offset, bytes([bootable_flash[offset] ^ 0x55]))
    board = new_board(flash=flash)
    console = connect(board)
    for _ in range(2):
        console.expect(reset)
        console.expect(said)
        assert board.now().mode == "bootloader"


def test_a_board_without_anything_is_flashed_between_its_resets(
    board: Board, bootable_flash: bytes, connect: Connect
) -> None:
    console = connect(board)
    console.expect(b"rst:0x7 (TG0WDT_SYS_RST)")
    assert b"invalid header: 0xffffffff" in console.expect(b"rst:0x7 (TG0WDT_SYS_RST)")
    control.power_off(board.folder)
    console.drain()
    with (board.folder / "flash.bin").open("r+b") as flash:
        flash.write(bootable_flash)
    control.power_on(board.folder)
    assert b"TG0WDT" not in console.expect(b"payload up")


def test_exit_status_3_is_a_reset(running: Board, console: Console) -> None:
    console.send(b"e 3\n")
    log = console.expect(b"payload up")
    assert b"rst:0x3 (RTC_SW_SYS_RST)" in log
    assert b"the application ended" not in log


def test_a_crash_is_told_and_reset(running: Board, console: Console) -> None:
    console.send(b"e 7\n")
    log = console.expect(b"payload up")
    assert b"the application ended with exit status 7" in log
    assert b"rst:0x10" in log


def test_a_crash_loop_ends_in_a_halt(running: Board, console: Console) -> None:
    for _ in range(5):
        console.send(b"e 7\n")
        console.expect(b"payload up")
    console.send(b"e 7\n")
    console.expect(b"halted: 5 resets within 10 s")
    assert running.now().mode == "halted"
    control.reset(running.folder)
    console.expect(b"payload up")


def test_the_power_that_fails_in_the_application_stays_off(
    running: Board, console: Console
) -> None:
    console.send(b"k\n")
    running.wait_for_mode("off")
    console.pulse_reset()
    control.reset(running.folder)
    assert running.now().mode == "off"
    control.power_on(running.folder)
    console.expect(b"payload up")


def test_much_output_arrives_whole(running: Board, console: Console) -> None:
    console.send(b"s 300000\n")
    told = console.expect(b"\r\nspewed\r\n")
    assert len(told) == 300000 + len(b"\r\nspewed\r\n")


def test_output_that_nobody_takes_does_not_stop_the_application(own: Board) -> None:
    # pyserial's clients read ahead: this one is a plain socket that does not.
    port = int(own.info.port_url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as idle:
        idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        before = heap_size(own)
        idle.sendall(b"s 10000000\ne 3\n")
        own.wait_for_log(b"RTC_SW_SYS_RST")
        assert heap_size(own) - before < 5_000_000  # nor is it kept


def test_the_console_log_is_bounded(own: Board, connect: Connect) -> None:
    console = connect(own)
    console.send(b"s 2000000\n")
    console.close()  # what nobody reads is logged all the same
    own.wait_for_log(b"spewed\r\n")
    sizes = [path.stat().st_size for path in own.folder.glob("console.log*")]
    assert len(sizes) == 2
    assert max(sizes) <= 1024 * 1024


def test_control_c_interrupts(running: Board, console: Console) -> None:
    console.send(b"\x03")
    console.expect(b"the application ended with signal 2")


def test_the_application_dies_with_its_board(own: Board, connect: Connect) -> None:
    console = connect(own)
    console.send(b"h\n")
    console.expect(b"holding")
    threads = Path(f"/proc/{own.info.pid}/task/{own.info.pid}")
    (child,) = (threads / "children").read_text().split()
    descriptor = os.pidfd_open(int(child))
    os.kill(own.info.pid, 9)
    assert select.select([descriptor], [], [], 5)[0], "the application has outlived its board"
    os.close(descriptor)
