# SPDX-License-Identifier: MIT
"""`viper://host:port`: an RFC 2217 serial port that waits for answers, and not longer.

pyserial's own handler negotiates baud rate, data size, parity and stop bits anew whenever any
setting is assigned, a timeout too, and waits 0.10 to 0.15 s each time. esptool assigns timeouts
around most of its commands, which makes it ten times slower than the line. Here only what has
changed is negotiated, and an answer ends the wait for it: pyserial looks for one every 50 ms. It
also hands on each byte by itself, some 50 ms for 4 KiB; here they stay together.

pyserial finds this module by its name (`serial.protocol_handler_packages`).
"""

from __future__ import annotations

import struct
import threading
from contextlib import suppress
from typing import Any

from serial import PortNotOpenError, SerialException, rfc2217

from viper.ports.telnet import SB, VERBS, TelnetStream, subnegotiation

# What a change of a control line waits for its answer. Some servers answer otherwise than asked or
# not at all, and the change has been made all the same.
_CONTROL_S = 0.1

_PIECE = 64 * 1024  # bytes that are taken from the network at once


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
        self._received = bytearray()
        self._has_ended = False
        self._heard = threading.Condition()  # that more was received, or an answer, or the end
        self._opening = True
        try:
            super().open()
        except SerialException:
            said = self._received.decode(errors="replace").strip()
            if said and self._hung_up:
                raise SerialException(said) from None
            raise
        finally:
            self._opening = False

    def telnet_send_option(self, action: bytes, option: bytes) -> None:
        """Negotiate; a server that hangs up meanwhile has said why, which `open` waits for."""
        with suppress(OSError):
            super().telnet_send_option(action, option)

    def read(self, size: int = 1) -> bytes:
        """Bytes that have been received: as many as asked for, or what has come in `timeout`.

        Raises:
            SerialException: there are none, and the server has ended the connection.
        """
        if not self.is_open:
            raise PortNotOpenError()
        with self._heard:
            self._heard.wait_for(
                lambda: len(self._received) >= size or self._has_ended, self._timeout
            )
            data = bytes(self._received[:size])
            del self._received[:size]
        if size and not data and self._has_ended:
            raise SerialException("the connection has ended")
        return data

    @property
    def in_waiting(self) -> int:
        """Bytes that have been received.

        Raises:
            SerialException: there are none, and the server has ended the connection.
        """
        if not self.is_open:
            raise PortNotOpenError()
        if not self._received and self._has_ended:
            raise SerialException("the connection has ended")
        return len(self._received)

    def reset_input_buffer(self) -> None:
        """Drop what has been received, here and at the server."""
        if not self.is_open:
            raise PortNotOpenError()
        self.rfc2217_send_purge(rfc2217.PURGE_RECEIVE_BUFFER)
        with self._heard:
            self._received.clear()

    def close(self) -> None:
        """Disconnect, without the pause that the stock handler makes for slow servers."""
        thread, self._thread = self._thread, None
        self._hung_up = thread is not None and self._has_ended
        super().close()
        if thread is not None:
            thread.join(5)

    def _telnet_read_loop(self) -> None:
        """What the thread does that takes from the network."""
        stream = TelnetStream(self._take, self._obey)
        while self.is_open:
            try:
                piece = self._socket.recv(_PIECE)
            except TimeoutError:  # to look whether it is still open
                continue
            except OSError:
                piece = b""
            if not piece:
                break
            stream.receive(piece)
        with self._heard:
            self._has_ended = True
            self._heard.notify_all()

    def _take(self, data: bytes) -> None:
        with self._heard:
            self._received += data
            self._heard.notify_all()

    def _obey(self, command: bytes) -> None:
        with self._heard:
            if command[1] in VERBS:
                self._telnet_negotiate_option(command[1:2], command[2:3])
            elif command[1] == SB:
                self._telnet_process_subnegotiation(subnegotiation(command))
            self._heard.notify_all()

    def _reconfigure_port(self) -> None:
        frame = (self._baudrate, self._bytesize, self._parity, self._stopbits)
        if frame == self._agreed:
            return
        if self._socket is None:
            raise PortNotOpenError()
        wanted = {
            "baudrate": struct.pack("!I", self._baudrate),
            "datasize": struct.pack("!B", self._bytesize),
            "parity": struct.pack("!B", rfc2217.RFC2217_PARITY_MAP[self._parity]),
            "stopsize": struct.pack("!B", rfc2217.RFC2217_STOPBIT_MAP[self._stopbits]),
        }
        settings = [self._rfc2217_port_settings[name] for name in wanted]
        for setting, value in zip(settings, wanted.values(), strict=True):
            setting.set(value)
        with self._heard:
            is_answered = self._heard.wait_for(
                lambda: all(each.active for each in settings) or self._has_ended,
                self._network_timeout,
            )
        if not is_answered or self._has_ended:
            raise SerialException(f"the port's server does not take {self._baudrate} baud")
        self._agreed = frame

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
        with self._heard:
            is_answered = self._heard.wait_for(lambda: option.state != rfc2217.REQUESTED, within_s)
        return bool(is_answered)
