# SPDX-License-Identifier: MIT
"""Asking a chip what it is and what it boots, through its loader."""

from __future__ import annotations

from collections.abc import Callable

from otadata_records import selecting
from running_board import Board
from viper.base import process
from viper.dev import port_list
from viper.image.app_image import describe_start
from viper.ports import port
from viper.ports.usb_serial import UsbSerial

OTADATA, FACTORY, OTA_0 = 0xD000, 0x10000, 0x310000


def asked(board: Board) -> port_list.Found:
    device = UsbSerial("/dev/ttyUSB0", "1-1", 0x10C4, 0xEA60, "0001")
    output = process.run_module("viper.device.probe", board.url, "PORT=/dev/ttyUSB0")
    return port_list.read_probe(device, output)


def test_chip_and_the_application_that_boots_are_told_and_started_again(
    new_board: Callable[..., Board], bootable_flash: bytes, app: bytes
) -> None:
    other = app.replace(b"\0test\0", b"\0next\0", 1)
    flash = bytearray(bootable_flash)
    flash[OTA_0 : OTA_0 + len(other)] = other
    flash[OTADATA : OTADATA + 0x2000] = selecting(1)
    board = new_board(flash=bytes(flash))
    found = asked(board)
    assert (found.mac, found.chip, found.flash_size) == (board.info.mac, "esp32s3", 16 << 20)
    assert found.app == describe_start(other)
    board.wait_for_mode("application")


def test_chip_without_an_application(board: Board) -> None:
    found = asked(board)
    assert found.mac == board.info.mac and found.app is None


def test_held_port_is_left_alone(board: Board) -> None:
    with port.lock(board.url, called="it", pid=1):
        found = asked(board)
    assert "PORT=/dev/ttyUSB0 is in use by process 1" in found.state
    assert found.mac == ""
    assert b"waiting for download" not in board.log
