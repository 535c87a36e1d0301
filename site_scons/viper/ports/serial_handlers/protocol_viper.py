# SPDX-License-Identifier: MIT
"""`viper://host:port`: an RFC 2217 serial port that waits for answers, and not longer.

pyserial's own handler negotiates baud rate, data size, parity and stop bits anew whenever any
setting is assigned, a timeout too, and waits 0.10 to 0.15 s each time. esptool assigns timeouts
around most of its commands, which makes it ten times slower than the line. Here only what has
changed is negotiated, and an answer ends the wait for it: pyserial looks for one every 50 ms.

pyserial finds this module by its name (`serial.protocol_handler_packages`).
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from serial import SerialException, rfc2217

# What a change of a control line waits for its answer. Some servers answer otherwise than asked or
# not at all, and the change has been made all the same.
_CONTROL_S = 0.1


def serial_class_for_url(url: str) -> tuple[str, type[Serial]]:
    """What pyserial asks a handler: the URL to open and the class that does it.

    The port goes by its RFC 2217 name from here on, because esptool picks its reset sequence by
    that prefix.
    """
    address = url.split("://", 1)[1]
    return f"rfc2217://{address}?ign_set_control", Serial


class Serial(rfc2217.Serial):  # type: ignore[misc]
    """The port; see the module."""

    _thread: Any
    _agreed: tuple[object, ...] | None = None  # the settings that the server has confirmed
    _opening = False
    _hung_up = False  # whether the server had ended the connection before we did

    def open(self) -> None:
        """Connect and negotiate.

        Raises:
            SerialException: it cannot be done; with the server's own words if it hung up.
        """
        self._agreed = None
        self._answered = threading.Condition()
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
        """Change a control line.

        A port that is opened is left as it is: esptool's own server takes DTR for the wish to go
        into download mode.
        """
        if self._opening:
            return
        control = self._rfc2217_options["control"]
        control.set(value)
        self._await_answer(control, _CONTROL_S)

    def rfc2217_send_purge(self, value: bytes) -> None:
        """Empty the server's buffers.

        Raises:
            SerialException: it does not answer.
        """
        purge = self._rfc2217_options["purge"]
        purge.set(value)
        if not self._await_answer(purge, self._network_timeout):
            raise SerialException("the port's server does not answer")

    def _await_answer(self, option: Any, within_s: float) -> bool:
        with self._answered:
            is_answered = self._answered.wait_for(
                lambda: option.state != rfc2217.REQUESTED, within_s
            )
        return bool(is_answered)

    def _telnet_process_subnegotiation(self, suboption: bytes) -> None:
        super()._telnet_process_subnegotiation(suboption)
        with self._answered:
            self._answered.notify_all()
