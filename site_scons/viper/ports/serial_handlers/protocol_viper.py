"""`viper://host:port`: an RFC 2217 serial port that renegotiates only what has changed.

pyserial's own handler negotiates baud rate, data size, parity and stop bits anew whenever any
setting is assigned, a timeout too, and waits 0.10 to 0.15 s each time. esptool assigns timeouts
around most of its commands, which makes it ten times slower than the line.

pyserial finds this module by its name (`serial.protocol_handler_packages`).
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from serial import SerialException, rfc2217

# A chip samples IO0 up to 150 ms after EN rises: esptool's sequence holds IO0 low for 50 ms plus
# two changes of a line, and works over a network only if those keep the distance that they have
# with pyserial's own handler.
_LINE_SPACING_S = 0.1


def serial_class_for_url(url: str) -> tuple[str, type[Serial]]:
    """What pyserial asks a handler: the URL to open and the class that does it.

    The port goes by its RFC 2217 name from here on, because esptool picks its reset sequence by
    that prefix. Answers to control requests are not waited for: the spacing above orders them.
    """
    address = url.split("://", 1)[1]
    return f"rfc2217://{address}?ign_set_control", Serial


class Serial(rfc2217.Serial):  # type: ignore[misc]
    """The port; see the module."""

    _thread: Any
    _agreed: tuple[object, ...] | None = None  # the settings that the server has confirmed
    _line_changed = 0.0  # time.monotonic() of the last control request
    _opening = False
    _hung_up = False  # whether the server had ended the connection before we did

    def open(self) -> None:
        """Connect and negotiate.

        Raises:
            SerialException: it cannot be done; with the server's own words if it hung up.
        """
        self._agreed = None
        self._opening = True
        try:
            super().open()
        except SerialException:
            said = b"".join(iter(self._get_waiting, b"")).decode(errors="replace").strip()
            if said and self._hung_up:
                raise SerialException(said) from None
            raise
        finally:
            self._opening = False

    def telnet_send_option(self, action: bytes, option: bytes) -> None:
        """Negotiate; a server that hangs up meanwhile has said why, which `open` waits for."""
        with suppress(OSError):
            super().telnet_send_option(action, option)

    def _get_waiting(self) -> bytes:
        """A byte that has been received, if there is one."""
        if self._read_buffer is None or self._read_buffer.empty():
            return b""
        return self._read_buffer.get() or b""

    @property
    def in_waiting(self) -> int:
        """Bytes that have been received.

        Raises:
            SerialException: there are none, and the server has ended the connection.
        """
        waiting = int(super().in_waiting)
        if not waiting and self._thread is not None and not self._thread.is_alive():
            raise SerialException("the connection has ended")
        return waiting

    def close(self) -> None:
        """Disconnect, without the pause that the stock handler makes for slow servers."""
        thread, self._thread = self._thread, None
        self._hung_up = thread is not None and not thread.is_alive()
        super().close()
        if thread is not None:
            thread.join(5)

    def _reconfigure_port(self) -> None:
        frame = (self._baudrate, self._bytesize, self._parity, self._stopbits)
        wanted = (*frame, self._rtscts, self._xonxoff, self._write_timeout)
        if wanted != self._agreed:
            super()._reconfigure_port()
            self._agreed = wanted

    def rfc2217_set_control(self, value: bytes) -> None:
        """Change a control line, at least `_LINE_SPACING_S` after the change before it.

        A port that is opened is left as it is: esptool's own server takes DTR for the wish to go
        into download mode.
        """
        if self._opening:
            return
        time.sleep(max(0.0, self._line_changed + _LINE_SPACING_S - time.monotonic()))
        self._rfc2217_options["control"].set(value)
        self._line_changed = time.monotonic()
