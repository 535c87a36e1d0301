# SPDX-License-Identifier: MIT
"""A port that is part of the chip, and leaves the bus when the chip is reset.

The chip's ROM makes it a USB Serial/JTAG device (303A:1001). MicroPython's own USB driver makes
another of it (303A:4001), which enters download mode when DTR and RTS change as esptool changes
them (MICROPY_HW_USB_CDC_DTR_RTS_BOOTLOADER, ports/esp32/mpconfigport.h of v1.27.0), but by leaving
the bus under an open port.
"""

from __future__ import annotations

import fcntl
import struct
import termios
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from viper.base.errors import UserError
from viper.ports import usb_serial
from viper.ports.serial_line import open_line
from viper.ports.usb_serial import ESPRESSIF, USB_SERIAL_JTAG, UsbSerial

if TYPE_CHECKING:
    from serial import Serial

_LINES = struct.Struct("i")  # as ioctl_tty(2) has it
_HOLD_S = 0.1  # between two changes of the lines
_LEAVE_S = 1.5  # from a reset to the bus being told
_RETURN_S = 10.0  # from there to the device file


class NativeUsb:
    """Where a chip's port is, before and after its resets; any other port stays where it is.

    Attributes:
        url: what pyserial opens.
    """

    def __init__(self, url: str, called: str) -> None:
        self.url = url
        self._called = called
        device = usb_serial.of(url) if url.startswith("/") else None
        self._device = device if device is not None and device.vendor == ESPRESSIF else None

    def open_for_download(self) -> Serial:
        """Open the port; a chip whose own driver has it is in download mode by then.

        Raises:
            UserError: it cannot be opened, or the chip does not come back in download mode.
        """
        line = open_line(self.url, self._called)
        device = self._device
        if device is None or device.product == USB_SERIAL_JTAG:
            return line  # esptool knows how to reset it
        with suppress(OSError):
            _ask_for_download_mode(line)
        with suppress(OSError):
            line.close()
        self._return(device, USB_SERIAL_JTAG, "hold BOOT while you press and release RESET")
        return open_line(self.url, self._called)

    def after_reset(self) -> None:
        """Wait until the chip is back, if a reset makes it leave.

        Raises:
            UserError: it has left, and does not come back.
        """
        device = self._device
        if device is not None and usb_serial.has_left(device, _LEAVE_S):
            self._return(device, None, "press RESET, or plug it in again; ./scons ports")

    def _return(self, device: UsbSerial, product: int | None, next_step: str) -> None:
        def is_back(other: UsbSerial) -> bool:
            return other.is_same(device) and product in (None, other.product)

        back = usb_serial.wait_for(is_back, _RETURN_S)
        if back is None:
            raise UserError(
                f"{self._called}: the board left the bus and is not back after {_RETURN_S:.0f} s",
                next_step,
            )
        self.url, self._device = back.tty, back


def _ask_for_download_mode(line: Serial) -> None:
    """Go from RTS alone to DTR alone, both in one request: the driver looks at each."""
    for wanted in (termios.TIOCM_RTS, termios.TIOCM_DTR):
        (lines,) = _LINES.unpack(fcntl.ioctl(line.fileno(), termios.TIOCMGET, bytes(_LINES.size)))
        lines = lines & ~(termios.TIOCM_RTS | termios.TIOCM_DTR) | wanted
        fcntl.ioctl(line.fileno(), termios.TIOCMSET, _LINES.pack(lines))
        time.sleep(_HOLD_S)
