# SPDX-License-Identifier: MIT
"""A device's console: starting its application, and staying with it."""

from __future__ import annotations

import re
import sys
import time

from viper.base import interrupt
from viper.base.errors import UserError
from viper.base.printable import excerpt
from viper.device import startup
from viper.device.repl import DeviceRepl
from viper.ports.serial_line import open_line

ADDRESS = re.compile(rb"\bat (http://[^\s/]+)/?\s")  # as firmware/app/main.py prints it
START_S = 30.0  # from reset to that line, a network to join included

_SILENT_S = 10.0  # the chip's own boot log comes at once; a console on USB leaves the bus before

_READ_S = 0.1
_STOP = b"""\
try:
    app.stop()
except NameError:
    pass
"""


class Console:
    """An open console; a context that closes the port.

    Args:
        url, called: as in viper.ports.serial_line.open_line.

    Raises:
        UserError: it cannot be opened.
    """

    def __init__(self, url: str, called: str) -> None:
        self._port = open_line(url, called, timeout=_READ_S)
        self._in_line = False  # what was shown last is no whole line

    def __enter__(self) -> Console:
        return self

    def __exit__(self, *_: object) -> None:
        self._port.close()

    def start(self) -> None:
        """Reset the device into its application."""
        from viper.ports.reset_line import start_application

        start_application(self._port)

    def address(self) -> str:
        """Wait for the application to say where it serves, showing what it prints.

        Raises:
            UserError: it does not in time.
            KeyboardInterrupt: Ctrl-C.
        """
        printed = b""
        application = startup.Startup("mend that, then flash or sync it", asked=False)
        began = time.monotonic()
        while time.monotonic() < began + START_S:
            printed += self._show()
            if not printed and time.monotonic() > began + _SILENT_S:
                raise UserError(
                    f"the device has printed nothing for {_SILENT_S:.0f} s after its reset",
                    "a board whose RTS is not wired to its reset needs a press of RESET meanwhile; "
                    "or give HOST=",
                )
            if found := ADDRESS.search(printed):
                return found[1].decode()
            application.look(printed)
        last = printed.decode(errors="replace").strip().splitlines() or [""]
        raise UserError(
            f"the device has not said within {START_S:.0f} s where it serves; it printed last: "
            f"{excerpt(last[-1])}",
            "main.py prints app.url; or give HOST=",
        )

    def stay(self) -> None:
        """Show what the device prints until Ctrl-C.

        Raises:
            UserError: the device has gone.
        """
        try:
            while True:
                self._show()
        except KeyboardInterrupt:
            return

    def end_line(self) -> None:
        """Begin a new line, if the device has left one open: its prompt."""
        if self._in_line:
            print(flush=True)
            self._in_line = False

    def _show(self) -> bytes:
        """Pass on what has come."""
        import serial

        if interrupt.requested():
            raise KeyboardInterrupt
        try:
            data: bytes = self._port.read(max(1, self._port.in_waiting))
        except (serial.SerialException, OSError) as problem:
            raise UserError(f"the device has gone: {problem}", "is it still plugged in?") from None
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        if data:
            self._in_line = not data.endswith(b"\n")
        return data


def stop_application(url: str, again: str) -> None:
    """End the application of a device, and leave it at its prompt.

    Raises:
        UserError: it does not answer.
    """
    with DeviceRepl(url, again) as repl:
        repl.enter()
        repl.run(_STOP, "stop its application")
        repl.leave()
