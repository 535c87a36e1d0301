# SPDX-License-Identifier: MIT
"""Opening a serial port, with errors that a person can mend."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from viper.base.errors import UserError
from viper.ports import port, serial_urls

if TYPE_CHECKING:
    from serial import Serial

CONSOLE_BAUD = 115200  # of MicroPython's console, and of the ROM's loader


def open_line(url: str, called: str, baudrate: int = CONSOLE_BAUD, timeout: float = 0.1) -> Serial:
    """Open a port alone.

    Args:
        url: what pyserial opens: a device file or viper://host:port.
        called: what errors call it, PORT=/dev/ttyUSB0.
        timeout: seconds that a read waits for its first byte.

    Raises:
        UserError: another program has it, or it is not there.
    """
    import serial

    serial_urls.register()
    try:
        return serial.serial_for_url(url, baudrate, timeout=timeout, exclusive=True)
    except (serial.SerialException, OSError) as error:
        if error.errno in (errno.EAGAIN, errno.EBUSY):
            raise port.busy(url, called) from None
        raise UserError(
            f"{called} cannot be opened: {first_line(error)}",
            "is the board plugged in, and not open in another program?",
        ) from None


def first_line(error: Exception) -> str:
    """What an error says, on one line."""
    return str(error).strip().splitlines()[0].rstrip(".!") if str(error).strip() else repr(error)
