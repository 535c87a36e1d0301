# SPDX-License-Identifier: MIT
"""A serial device on USB that is unplugged and plugged in again; terminals stand for it."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from viper.ports import usb_serial
from viper.ports.usb_serial import UsbSerial


class UsbDevice:
    """What is in one socket: a chip with MicroPython's own USB driver, at first.

    Attributes:
        device: what Linux shows of it.
        far_end: the chip's end of its port.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.device = UsbSerial("", "1-1", 0x303A, 0x4001, "F412FA5A1B2C0000")
        self.connected: list[UsbSerial] = []
        monkeypatch.setattr(usb_serial, "connected", lambda: self.connected)
        self.plug_in()

    def plug_in(self, **changes: object) -> None:
        self.far_end, near_end = os.openpty()
        self._near_end = near_end
        self.device = replace(self.device, tty=os.ttyname(near_end), **changes)  # type: ignore[arg-type]
        self.connected = [self.device]

    def unplug(self) -> None:
        self.connected = []
        os.close(self._near_end)
        os.close(self.far_end)
