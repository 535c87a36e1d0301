# SPDX-License-Identifier: MIT
"""A chip whose port is its own USB: it leaves the bus in a reset and is waited for."""

from __future__ import annotations

import fcntl
import struct
import termios
import threading
from collections.abc import Callable, Iterator

import pytest
from usb_device import UsbDevice
from viper.base.errors import UserError
from viper.ports import native_usb
from viper.ports.native_usb import NativeUsb

RTS, DTR = termios.TIOCM_RTS, termios.TIOCM_DTR


@pytest.fixture
def usb(monkeypatch: pytest.MonkeyPatch) -> Iterator[UsbDevice]:
    monkeypatch.setattr(native_usb, "_RETURN_S", 1.0)
    monkeypatch.setattr(native_usb, "_LEAVE_S", 0.5)
    usb = UsbDevice(monkeypatch)
    yield usb
    usb.unplug()


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[Callable[[], object]]]:
    """What DTR and RTS are set to, in one request each; and what that does, once, at DTR alone."""
    seen: list[int] = []
    then: list[Callable[[], object]] = []

    def ioctl(fd: int, request: int, argument: bytes = b"") -> bytes:
        if request == termios.TIOCMSET:
            seen.append(struct.unpack("i", argument)[0] & (RTS | DTR))
            if seen[-2:] == [RTS, DTR]:
                then.pop()()
        return struct.pack("i", RTS | DTR | termios.TIOCM_CTS)

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    return seen, then


def test_own_driver_is_asked_for_download_mode_and_comes_back_as_the_roms(
    usb: UsbDevice, lines: tuple[list[int], list[Callable[[], object]]]
) -> None:
    seen, then = lines
    port = NativeUsb(usb.device.tty, "PORT=auto")

    def enter_download_mode() -> None:
        usb.unplug()
        usb.plug_in(product=0x1001, serial="F4:12:FA:5A:1B:2C")

    then.append(enter_download_mode)
    line = port.open_for_download()
    assert seen == [RTS, DTR]
    assert line.port == port.url == usb.device.tty
    line.close()


def test_chip_that_stays_away_is_told(
    usb: UsbDevice, lines: tuple[list[int], list[Callable[[], object]]]
) -> None:
    _, then = lines
    then.append(lambda: setattr(usb, "connected", []))
    with pytest.raises(UserError, match="PORT=auto: the board left the bus") as caught:
        NativeUsb(usb.device.tty, "PORT=auto").open_for_download()
    assert "BOOT" in caught.value.next_step


def test_roms_own_device_is_left_to_esptool(
    usb: UsbDevice, lines: tuple[list[int], list[Callable[[], object]]]
) -> None:
    usb.unplug()
    usb.plug_in(product=0x1001)
    NativeUsb(usb.device.tty, "PORT=auto").open_for_download().close()
    assert lines[0] == []


def test_after_a_reset_the_board_is_found_where_it_comes_back(usb: UsbDevice) -> None:
    port = NativeUsb(usb.device.tty, "PORT=auto")
    before = usb.device.tty
    port.after_reset()  # it stays
    assert port.url == before
    waiting = threading.Thread(target=port.after_reset)
    waiting.start()
    usb.connected = []
    usb.plug_in(place="1-7")
    waiting.join(10)
    assert port.url == usb.device.tty != before


def test_bridge_is_not_waited_for(usb: UsbDevice) -> None:
    usb.unplug()
    usb.plug_in(vendor=0x10C4, product=0xEA60)
    port = NativeUsb(usb.device.tty, "PORT=auto")
    usb.connected = []
    port.after_reset()
    assert port.url == usb.device.tty
