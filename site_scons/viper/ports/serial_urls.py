# SPDX-License-Identifier: MIT
"""The serial ports of this project's own URL scheme, `viper://host:port`."""

from __future__ import annotations

from typing import Any

from viper.ports import serial_handlers

_HANDLERS = serial_handlers.__name__


def register() -> None:
    """Make the scheme known to pyserial, and so to esptool and mpremote."""
    import serial

    if _HANDLERS not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.append(_HANDLERS)


class WriteCounter:
    """Counts what is written to an open port.

    Attributes:
        bytes: so many so far.
    """

    def __init__(self, port: Any) -> None:
        self.bytes = 0
        self._write = port.write
        port.write = self._counted

    def _counted(self, data: bytes) -> int:
        self.bytes += len(data)
        return int(self._write(data))
