"""A few lines of Python run on a device in place of its application, by mpremote."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING

from viper import serial_handlers
from viper.errors import UserError

if TYPE_CHECKING:
    from serial import Serial

_BAUD = 115200  # MicroPython's console
_OPEN_S = 3  # what a port may take to be free
_START_S = 15.0  # what MicroPython may take to come up
_ANSWER_S = 10.0
_SOFT_RESET = b"\x02\x04"  # leave the raw REPL, then Ctrl-D: boot.py and main.py run


class DeviceProgram:
    """The raw REPL of a device; a context that starts the application again when it is left.

    Nothing that is sent is echoed by the device, or shown here.
    """

    def __init__(self, url: str, again: str) -> None:
        """Interrupt what runs.

        Args:
            url: what pyserial opens; its lock is the caller's.
            again: what the user types to try once more.

        Raises:
            UserError: the port cannot be opened, or MicroPython does not answer.
        """
        from mpremote.transport import TransportError
        from mpremote.transport_serial import SerialTransport

        self._again = again
        self._restarted = False
        serial_handlers.register()
        try:
            self._transport = SerialTransport(url, _BAUD, wait=_OPEN_S, timeout=_ANSWER_S)
        except TransportError:
            raise UserError(f"{url} cannot be opened", again) from None
        self._serial: Serial = self._transport.serial
        try:
            self._transport.enter_raw_repl(soft_reset=False, timeout_overall=_START_S)
        except TransportError as error:
            self._serial.close()
            raise self._silence(error) from None

    def run(self, program: str, purpose: str) -> str:
        """Run a program; what it prints.

        Args:
            purpose: what the device does not do if it fails: "take a token".

        Raises:
            UserError: it raises, or the device stops answering.
        """
        from mpremote.transport import TransportError, TransportExecError

        try:
            output: bytes = self._transport.exec(program)
        except TransportExecError as error:
            lines = error.error_output.strip().splitlines() or ["it failed without a word"]
            raise UserError(
                f"the device does not {purpose}: {lines[-1]}", "./scons flash"
            ) from None
        except TransportError as error:
            raise self._silence(error) from None
        return output.decode(errors="replace")

    def restart(self, until: str, limit_s: float) -> str:
        """Start the application again, and wait for a line of it.

        Args:
            until: how the line begins.

        Returns:
            The line; "" if it does not come within `limit_s`.
        """
        self._start_application()
        self._serial.timeout = 0.1  # seconds
        seen = bytearray()
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            seen += self._serial.read(max(1, self._serial.in_waiting))
            for line in seen.decode(errors="replace").splitlines(keepends=True):
                if line.startswith(until) and line.endswith("\n"):
                    return line.strip()
        return ""

    def _start_application(self) -> None:
        if not self._restarted:
            self._serial.write(_SOFT_RESET)
            self._restarted = True

    def __enter__(self) -> DeviceProgram:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._start_application()
        self._serial.close()

    def _silence(self, error: Exception) -> UserError:
        return UserError(f"MicroPython's REPL does not answer ({error})", self._again)
