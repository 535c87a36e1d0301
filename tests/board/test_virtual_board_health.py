# SPDX-License-Identifier: MIT
"""What the firmware tells of resets: why and how often it started, and where the server stood."""

from __future__ import annotations

import json
import os
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from running_board import Board, Console
from site_image import Site, wait_for_boots
from viper.device.repl import DeviceRepl

_STATS = b"import json, viperhttp\nprint(json.dumps(viperhttp.memory_stats()))"
_RESET = b"\x03\x02import machine\r\nmachine.reset()\r\n"
_KEPT_OFFSET = 2048
_AT_SEND = 5  # core/pulse.h
_TOLD = b"viperhttp: reset, for the server stood still at 'send', 81234 ms after its start (1 since"


@pytest.fixture
def site(tmp_path: Path, parts: dict[int, bytes], built: Path) -> Site:
    return Site(tmp_path, parts, built)


def stats(board: Board) -> dict[str, Any]:
    with DeviceRepl(board.url, again="") as repl:
        repl.enter()
        told: dict[str, Any] = json.loads(repl.run(_STATS, "tell"))
        repl.leave()
    return told


def reset(board: Board, boots: int) -> bytes:
    """Have the program reset the device; what is printed until it has started so many times."""
    deadline = time.monotonic() + 60
    while board.now().port_holder is not None:  # a client that has just closed it
        assert time.monotonic() < deadline
        time.sleep(0.01)
    printed = len(board.log)
    console = Console(board.url)
    console.send(_RESET)
    wait_for_boots(board, boots)
    console.close()
    return board.log[printed:]


def page_of(board: Board) -> int:
    """A descriptor of the memory that its chip shares with the firmware."""
    folder = Path(f"/proc/{board.info.pid}/fd")
    for entry in folder.iterdir():
        if str(entry.readlink()).startswith("/memfd:chip"):
            return os.open(entry, os.O_RDWR)
    raise AssertionError("it has no such page")


def leave_record(board: Board) -> None:
    """What the watchdog leaves where the server stood still."""
    record = struct.pack("<4IQI", 0x4C4C5453, _AT_SEND, 1, 0, 81234, 7)
    page = page_of(board)
    os.pwrite(page, record + struct.pack("<I", zlib.crc32(record)), _KEPT_OFFSET)
    os.close(page)


def test_why_it_started_and_how_often(lived_in: Board) -> None:
    first = stats(lived_in)
    assert (first["reset_reason"], first["resets_total"], first["stalls"]) == ("power-on", 0, 0)
    reset(lived_in, 2)
    again = stats(lived_in)
    assert (again["reset_reason"], again["resets_total"]) == ("software", 1)


def test_a_stall_is_told_once_and_kept_until_the_power_goes(lived_in: Board) -> None:
    leave_record(lived_in)
    assert reset(lived_in, 2).count(_TOLD) == 1
    assert stats(lived_in)["stalls"] == 1
    assert _TOLD not in reset(lived_in, 3)
    assert stats(lived_in)["stalls"] == 1
