# SPDX-License-Identifier: MIT
"""What comes over Telnet (RFC 854), taken apart: data, and the commands in it."""

from __future__ import annotations

from collections.abc import Callable

SE, SB, WILL, WONT, DO, DONT, IAC = 240, 250, 251, 252, 253, 254, 255
VERBS = (WILL, WONT, DO, DONT)
IAC_BYTE = b"\xff"

_SUBNEGOTIATION_LIMIT = 64  # bytes


def escape(data: bytes) -> bytes:
    """Data as it is sent."""
    return data.replace(IAC_BYTE, IAC_BYTE * 2)


class TelnetStream:
    """One direction of a connection.

    Args:
        data: takes what is data, in order.
        command: takes each command, whole; what came before it has been handed on.
    """

    def __init__(self, data: Callable[[bytes], None], command: Callable[[bytes], None]) -> None:
        self._data = data
        self._command = command
        self._rest = b""  # a command whose end has not come yet

    def receive(self, received: bytes) -> None:
        """Take bytes as they come, however they are cut."""
        stream = self._rest + received
        self._rest = b""
        data = bytearray()
        start = 0
        while (at := stream.find(IAC_BYTE, start)) >= 0:
            data += stream[start:at]
            length = _command_length(stream, at)
            if length is None:
                self._rest = stream[at:]
                break
            command = stream[at : at + length]
            if command == IAC_BYTE * 2:
                data += IAC_BYTE
            else:
                if data:
                    self._data(bytes(data))
                    data.clear()
                self._command(command)
            start = at + length
        else:
            data += stream[start:]
        if data:
            self._data(bytes(data))


def subnegotiation(command: bytes) -> bytes:
    """What stands between IAC SB and IAC SE, for a command that is one; else nothing."""
    if command[1] != SB or len(command) < 5:
        return b""
    return command[2:-2].replace(IAC_BYTE * 2, IAC_BYTE)


def _command_length(stream: bytes, at: int) -> int | None:
    """Bytes of the command that starts here, None while its end is missing."""
    if at + 1 >= len(stream):
        return None
    verb = stream[at + 1]
    if verb in VERBS:
        return 3 if at + 2 < len(stream) else None
    if verb != SB:
        return 2
    end = at + 2
    while (end := stream.find(IAC_BYTE, end)) >= 0 and end + 1 < len(stream):
        if stream[end + 1] == SE:
            return end + 2 - at
        end += 2
    if len(stream) - at > _SUBNEGOTIATION_LIMIT:
        return len(stream) - at  # it never ends: drop it
    return None
