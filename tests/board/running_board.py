# SPDX-License-Identifier: MIT
"""A running virtual board and a client of its serial port, for tests."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import serial
from viper.ports import serial_urls
from viper.virtual_board import control
from viper.virtual_board.control import BoardInfo


class Console:
    """A client of a board's serial port."""

    def __init__(self, url: str, baudrate: int = 115200) -> None:
        serial_urls.register()
        self.port = serial.serial_for_url(url, baudrate=baudrate, timeout=0.05)
        self._seen = bytearray()

    def expect(self, text: bytes, within_s: float = 60.0) -> bytes:
        """Read until `text` has come; what came up to its end."""
        deadline = time.monotonic() + within_s
        looked_at = 0
        while (start := self._seen.find(text, looked_at)) < 0:
            assert time.monotonic() < deadline, f"no {text!r} in {self._seen[-500:]!r}"
            looked_at = max(0, len(self._seen) - len(text))
            self._seen += self.port.read(max(1, self.port.in_waiting))
        found = bytes(self._seen[: start + len(text)])
        del self._seen[: len(found)]
        return found

    def send(self, data: bytes) -> None:
        self.port.write(data)

    def drain(self) -> None:
        """Forget what has come until now."""
        self.port.reset_input_buffer()
        self._seen.clear()

    def pulse_reset(self) -> None:
        """Reset into the application, as esptool's hard reset does."""
        self.port.dtr = False
        self.port.rts = True
        self.port.rts = False

    def close(self) -> None:
        self.port.close()


@dataclass(frozen=True)
class Board:
    """A running board and its folder."""

    folder: Path
    info: BoardInfo

    @property
    def url(self) -> str:
        """The port for our pyserial handler."""
        return self.info.port_url.replace("rfc2217", "viper")

    @property
    def stock_url(self) -> str:
        """The port for programs as they come."""
        return f"{self.info.port_url}?ign_set_control"

    @property
    def flash(self) -> bytes:
        return (self.folder / "flash.bin").read_bytes()

    @property
    def log(self) -> bytes:
        """What the board has printed."""
        return (self.folder / "console.log").read_bytes()

    def wait_for_log(self, text: bytes, within_s: float = 60.0) -> None:
        deadline = time.monotonic() + within_s
        while text not in self.log:
            assert time.monotonic() < deadline, f"no {text!r} in {self.log[-500:]!r}"
            time.sleep(0.01)

    def wait_for_log_after(self, known: int, *texts: bytes, within_s: float = 60.0) -> None:
        """Wait until one of some texts is printed behind the first bytes of the log."""
        deadline = time.monotonic() + within_s
        while not any(text in self.log[known:] for text in texts):
            assert time.monotonic() < deadline, f"no {texts!r} in {self.log[known:]!r}"
            time.sleep(0.01)

    def now(self) -> BoardInfo:
        info = control.running(self.folder)
        assert info is not None, "the board is not running"
        return info

    def wait_for_mode(self, mode: str, within_s: float = 60.0) -> None:
        deadline = time.monotonic() + within_s
        while self.now().mode != mode:
            assert time.monotonic() < deadline, f"the board is {self.now().mode}, not {mode}"
            time.sleep(0.01)
