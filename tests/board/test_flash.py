# SPDX-License-Identifier: MIT
"""Flashing a virtual board with esptool's library over its serial port."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flash_image import FACTORY, SECTOR, VFS, FlashImage
from running_board import Board, Console
from serial.rfc2217 import SET_BAUDRATE
from slowness import slowness
from viper.base.errors import UserError
from viper.flash import jobs
from viper.flash.jobs import PLAN
from viper.virtual_board import control

NewBoard = Callable[..., Board]


@pytest.fixture
def image(tmp_path: Path, parts: dict[int, bytes]) -> FlashImage:
    return FlashImage(tmp_path, parts)


@pytest.fixture
def flashed(new_board: NewBoard, image: FlashImage) -> Board:
    """A board that the image has been flashed to."""
    flash = bytearray(b"\xff" * (16 << 20))
    for offset, content in image.contents.items():
        flash[offset : offset + len(content)] = content
    board = new_board(flash=bytes(flash))
    image.stamp(board)
    return board


def test_a_blank_board_gets_what_is_not_blank_and_boots_it(board: Board, image: FlashImage) -> None:
    result = image.flash(board)
    image.assert_on(board)
    board.wait_for_mode("application")
    assert result.mac == board.info.mac
    written = {part.name: part.sectors for part in result.parts if part.action == "written"}
    app = -(-len(image.contents[FACTORY]) // SECTOR)
    assert written == {"vfs": 30, "factory": app, "partition-table": 1, "bootloader": 1}
    assert result.bytes_written == sum(written.values()) * SECTOR

    before = control.counters(board.folder)
    again = image.flash(board)
    assert not again.changed
    assert {part.action for part in again.parts} == {"same"}
    assert control.counters(board.folder) == before
    board.wait_for_mode("application")


def test_a_sector_altered_behind_the_stamp_is_found_and_written_alone(
    flashed: Board, image: FlashImage
) -> None:
    place = FACTORY + 3 * SECTOR + 100
    with (flashed.folder / "flash.bin").open("r+b") as flash:
        flash.seek(place)
        flash.write(b"\0altered\0")
    before = control.counters(flashed.folder)
    result = image.flash(flashed)
    after = control.counters(flashed.folder)
    image.assert_on(flashed)
    assert result.bytes_written == SECTOR
    assert after.sectors_erased - before.sectors_erased == 1


def test_a_plan_says_what_a_flash_would_do_and_does_nothing(
    flashed: Board, image: FlashImage
) -> None:
    before = flashed.flash
    image.edit(FACTORY + 2 * SECTOR, b"edited")
    image.edit(FACTORY + 4 * SECTOR, b"edited")
    plan = image.flash(flashed, goal=PLAN)
    written = [(part.name, part.sectors) for part in plan.parts if part.sectors]
    assert written == [("factory", 2)]
    assert flashed.flash == before
    flashed.wait_for_mode("application")


def test_a_file_system_that_cannot_be_read_is_neither_written_nor_taken_for_one(
    flashed: Board, image: FlashImage
) -> None:
    before = flashed.flash
    image.edit(VFS, b"edited")  # it was noise, and is no other noise
    with pytest.raises(UserError, match=r"vfs of .* holds no readable file system") as caught:
        image.flash(flashed)
    assert "REPARTITION=wipe starts anew" in caught.value.next_step
    assert flashed.flash == before


def test_another_board_on_the_same_port_is_not_taken_for_the_first(
    flashed: Board, new_board: NewBoard, image: FlashImage
) -> None:
    other = new_board("other")
    control.stop(other.folder)
    control.stop(flashed.folder)
    state = other.folder / "board.json"
    record = json.loads(state.read_text())
    record["serial_port"] = int(flashed.info.port_url.rpartition(":")[2])
    state.write_text(json.dumps(record))
    swapped = Board(other.folder, control.start(other.folder, "other"))
    assert swapped.url == flashed.url
    result = image.flash(swapped)
    assert result.mac == swapped.info.mac != flashed.info.mac
    image.assert_on(swapped)


def test_power_lost_while_flashing_is_told_and_the_next_flash_finishes(
    board: Board, image: FlashImage
) -> None:
    control.set_faults(board.folder, power_after_bytes=29 * SECTOR + 1000)
    with pytest.raises(UserError, match="stopped answering while being written") as caught:
        image.flash(board)
    assert "./scons flash PORT=virtual:bench again" in caught.value.next_step
    control.set_faults(board.folder)
    control.power_on(board.folder)
    image.flash(board)
    image.assert_on(board)
    board.wait_for_mode("application")


def test_a_stamp_that_cannot_be_written_is_told_as_a_file(board: Board, image: FlashImage) -> None:
    image.stamps.write_text("in the way")
    with pytest.raises(UserError) as caught:
        image.flash(board)
    assert re.match(rf"{image.stamps}\S*: (Not a directory|File exists)$", caught.value.what)
    assert caught.value.next_step.startswith("mend that, then ./scons flash PORT=virtual:bench")


def test_a_sector_that_fails_is_named(flashed: Board, image: FlashImage) -> None:
    image.edit(FACTORY + 2 * SECTOR, os.urandom(3 * SECTOR))
    control.set_faults(flashed.folder, bad_sector=FACTORY // SECTOR + 3)
    with pytest.raises(UserError, match=rf"flash at {FACTORY + 3 * SECTOR:#x} \(factory\)"):
        image.flash(flashed)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chip": "esp32c3"}, "has an ESP32-C3; TEST_BOARD is for esp32s3"),
        ({"flash_size": 8 << 20}, "has 8MB of flash; TEST_BOARD needs 16MB"),
        ({"psram_size": 2 << 20}, "has 2MB PSRAM; TEST_BOARD needs 8MB"),
        ({"psram_size": 0}, "has no PSRAM; TEST_BOARD needs 8MB"),
    ],
)
def test_a_board_that_the_image_is_not_for_is_refused_unwritten(
    new_board: NewBoard, image: FlashImage, options: dict[str, object], message: str
) -> None:
    board = new_board(**options)
    with pytest.raises(UserError, match=message):
        image.flash(board)
    assert control.counters(board.folder) == control.Counters(0, 0)


def test_a_board_without_power_does_not_answer(board: Board, image: FlashImage) -> None:
    control.power_off(board.folder)
    with pytest.raises(UserError, match="does not answer in download mode") as caught:
        image.flash(board)
    assert "hold BOOT" in caught.value.next_step


def test_a_port_that_is_in_use_names_its_holder(
    board: Board, image: FlashImage, connect: Callable[[Board], Console]
) -> None:
    connect(board)
    with pytest.raises(UserError, match=f"held by .*{os.getpid()}"):
        image.flash(board)


def test_only_settings_that_change_are_negotiated(
    board: Board, connect: Callable[[Board], Console]
) -> None:
    port = connect(board).port
    negotiated = []
    send = port.rfc2217_send_subnegotiation

    def recording_send(option: bytes, value: bytes = b"") -> None:
        negotiated.append(option)
        send(option, value)

    port.rfc2217_send_subnegotiation = recording_send
    for timeout in (1.0, 0.2, None):
        port.timeout = timeout
    assert negotiated == []
    port.baudrate = 921600
    assert SET_BAUDRATE in negotiated


# What a build does: the flash runs in a thread, and Ctrl-C comes to the process.
FLASH = """
import json, signal, sys, threading
from viper.flash import jobs
from viper.base import interrupt

signal.signal(signal.SIGINT, lambda *_: None)
interrupt.install()
caught = []

def work():
    try:
        jobs.flash(jobs.decode_request(sys.argv[1]))
    except BaseException as error:
        caught.append(type(error).__name__)

thread = threading.Thread(target=work)
thread.start()
thread.join()
print(*caught)
"""


@pytest.fixture
def without_files(new_board: NewBoard, bootable_flash: bytes) -> Board:
    """A board with an application and a blank file system."""
    return new_board(flash=bootable_flash)


@pytest.fixture
def flashing(without_files: Board, image: FlashImage) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is in the middle of writing a long `vfs` to `without_files`."""
    image.edit(VFS, os.urandom(128 * SECTOR))
    request = jobs._encode(image.request(without_files))
    environment = os.environ | {"PYTHONPATH": "site_scons"}
    before = control.counters(without_files.folder).bytes_programmed
    control.set_faults(without_files.folder, hold_line=True)  # it takes more than ten seconds
    with subprocess.Popen(
        [sys.executable, "-c", FLASH, request],
        stdout=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    ) as process:
        while control.counters(without_files.folder).bytes_programmed < before + 8 * SECTOR:
            assert process.poll() is None
            time.sleep(0.01)
        yield process
        if process.poll() is None:
            process.kill()
    control.set_faults(without_files.folder)


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def finish(board: Board, image: FlashImage) -> None:
    """The next flash has something left to do, does it, and the application runs."""
    control.set_faults(board.folder)
    result = image.flash(board)
    assert 0 < result.bytes_written < 128 * SECTOR
    image.assert_on(board)
    board.wait_for_mode("application")


def test_ctrl_c_ends_within_a_second_and_the_application_runs(
    without_files: Board, image: FlashImage, flashing: subprocess.Popen[bytes]
) -> None:
    began = time.monotonic()
    flashing.send_signal(signal.SIGINT)
    output, _ = flashing.communicate(timeout=60)
    assert time.monotonic() - began < 1 * slowness()
    assert output == b"KeyboardInterrupt\n"
    without_files.wait_for_mode("application", within_s=1 * slowness())
    finish(without_files, image)


def test_a_killed_flasher_is_told_and_the_next_flash_finishes(
    without_files: Board, image: FlashImage, flashing: subprocess.Popen[bytes]
) -> None:
    (flasher,) = children(flashing.pid)
    os.kill(flasher, signal.SIGKILL)
    output, _ = flashing.communicate(timeout=60)
    assert output == b"UserError\n"
    finish(without_files, image)


def test_a_killed_build_leaves_no_flasher_and_the_application_runs(
    without_files: Board, image: FlashImage, flashing: subprocess.Popen[bytes]
) -> None:
    (flasher,) = children(flashing.pid)
    ended = os.pidfd_open(flasher)
    flashing.kill()
    assert select.select([ended], [], [], 2)[0]
    os.close(ended)
    without_files.wait_for_mode("application", within_s=1 * slowness())
    finish(without_files, image)
