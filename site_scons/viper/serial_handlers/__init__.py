"""pyserial URL handlers of this project.

`register()` makes `viper://host:port` known to pyserial, and so to esptool and mpremote.
"""

from __future__ import annotations

from typing import Any


def register() -> None:
    """Add this package to the places where pyserial looks for URL handlers."""
    import serial

    if __name__ not in serial.protocol_handler_packages:
        serial.protocol_handler_packages.append(__name__)


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
