# SPDX-License-Identifier: MIT
"""The server's side of Telnet COM-PORT-OPTION (RFC 2217), without sockets: bytes in, bytes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from viper.ports import telnet
from viper.ports.telnet import DO, DONT, IAC, SB, SE, VERBS, WILL, WONT, TelnetStream

_BINARY, _ECHO, _SUPPRESS_GO_AHEAD, _COM_PORT = 0, 1, 3, 44
_OPTIONS = (_BINARY, _ECHO, _SUPPRESS_GO_AHEAD, _COM_PORT)

_SIGNATURE, _SET_BAUDRATE, _SET_DATASIZE, _SET_PARITY, _SET_STOPSIZE, _SET_CONTROL = range(6)
_NOTIFY_MODEMSTATE, _LINE_MASK, _MODEM_MASK, _PURGE = 7, 10, 11, 12
_ANSWER = 100  # an answer's number is its request's and this

_DTR_ON, _DTR_OFF, _RTS_ON, _RTS_OFF = 8, 9, 11, 12
_PURGE_RECEIVED, _PURGE_TO_SEND, _PURGE_BOTH = 1, 2, 3
_CTS_AND_DSR = 0x30  # modem state: the board is there and ready

DEFAULT_BAUDRATE = 115200


@dataclass(frozen=True)
class PortEvents:
    """What a client does to the port; each is called as soon as its bytes have been read.

    Args:
        data: bytes for the board.
        baudrate: the client chose this rate.
        control: DTR and RTS as they now are.
        purge_to_client: drop what the board has sent and the client has not got.
        purge_to_board: drop what the client has sent and the board has not got.
    """

    data: Callable[[bytes], None]
    baudrate: Callable[[int], None]
    control: Callable[[bool, bool], None]
    purge_to_client: Callable[[], None]
    purge_to_board: Callable[[], None]


class Rfc2217Session:
    """One client's connection.

    Args:
        events: what the client's wishes do.
        reply: takes protocol bytes for the client.
    """

    def __init__(self, events: PortEvents, reply: Callable[[bytes], None]) -> None:
        self._events = events
        self._reply = reply
        self._baudrate = DEFAULT_BAUDRATE
        self._dtr = False
        self._rts = False
        self._stream = TelnetStream(events.data, self._command)
        self._agreed: set[tuple[int, int]] = set()
        for verb, option in (
            (WILL, _ECHO),
            (WILL, _SUPPRESS_GO_AHEAD),
            (WILL, _COM_PORT),
            (DO, _BINARY),
            (WILL, _BINARY),
        ):
            self._agreed.add((verb, option))
            self._reply(bytes([IAC, verb, option]))

    def receive(self, received: bytes) -> None:
        """Take bytes from the client."""
        self._stream.receive(received)

    def _command(self, command: bytes) -> None:
        if command[1] in VERBS:
            self._negotiate(command[1], command[2])
            return
        option, *request = telnet.subnegotiation(command)[:2] or [0]
        if option == _COM_PORT and request:
            self._com_port(request[0], telnet.subnegotiation(command)[2:])

    def _negotiate(self, verb: int, option: int) -> None:
        """Agree to what the port has, once, and refuse the rest."""
        if verb not in (WILL, DO):
            return
        if option not in _OPTIONS:
            self._reply(bytes([IAC, DONT if verb == WILL else WONT, option]))
            return
        answer = DO if verb == WILL else WILL
        if (answer, option) not in self._agreed:
            self._agreed.add((answer, option))
            self._reply(bytes([IAC, answer, option]))
        if option == _COM_PORT:
            self._answer(_NOTIFY_MODEMSTATE, bytes([_CTS_AND_DSR]))

    def _com_port(self, request: int, value: bytes) -> None:
        if request == _SIGNATURE:
            self._answer(request, b"virtual board")
        elif request == _SET_BAUDRATE and len(value) == 4:
            wanted = int.from_bytes(value, "big")  # 0 asks for the rate
            if wanted:
                self._baudrate = wanted
                self._events.baudrate(wanted)
            self._answer(request, self._baudrate.to_bytes(4, "big"))
        elif request in (_SET_DATASIZE, _SET_PARITY, _SET_STOPSIZE, _LINE_MASK, _MODEM_MASK):
            self._answer(request, value)
        elif request == _SET_CONTROL and len(value) == 1:
            self._control(value[0])
            self._answer(request, value)
        elif request == _PURGE and len(value) == 1:
            if value[0] in (_PURGE_RECEIVED, _PURGE_BOTH):
                self._events.purge_to_client()
            if value[0] in (_PURGE_TO_SEND, _PURGE_BOTH):
                self._events.purge_to_board()
            self._answer(request, value)
        elif request == _NOTIFY_MODEMSTATE:
            self._answer(request, bytes([_CTS_AND_DSR]))

    def _control(self, value: int) -> None:
        before = self._dtr, self._rts
        if value in (_DTR_ON, _DTR_OFF):
            self._dtr = value == _DTR_ON
        elif value in (_RTS_ON, _RTS_OFF):
            self._rts = value == _RTS_ON
        if (self._dtr, self._rts) != before:
            self._events.control(self._dtr, self._rts)

    def _answer(self, request: int, value: bytes) -> None:
        head = bytes([IAC, SB, _COM_PORT, request + _ANSWER])
        self._reply(head + telnet.escape(value) + bytes([IAC, SE]))
