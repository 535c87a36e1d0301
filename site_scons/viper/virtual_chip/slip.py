# SPDX-License-Identifier: MIT
"""SLIP (RFC 1055): packets on a serial line."""

from __future__ import annotations

from collections.abc import Iterator

_END = b"\xc0"
_ESCAPED_END = b"\xdb\xdc"
_ESC = b"\xdb"
_ESCAPED_ESC = b"\xdb\xdd"


def encode(packet: bytes) -> bytes:
    """The packet as it goes over the line, with an END on both sides."""
    return _END + packet.replace(_ESC, _ESCAPED_ESC).replace(_END, _ESCAPED_END) + _END


class Decoder:
    """Takes a line's bytes in any pieces and gives the packets in them.

    Bytes between packets, packets with an unknown escape and packets over the limit are dropped,
    as a loader drops them: its host sees no answer and tries again.

    Args:
        limit: the largest packet, in bytes.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._partial = bytearray()
        self._in_packet = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield each packet that these bytes complete. Exhaust it before feeding more."""
        *closed, rest = data.split(_END)
        for piece in closed:
            if not self._in_packet:
                self._in_packet = True
                continue
            self._append(piece)
            if not self._partial:
                continue  # two ENDs in a row: the second one opens the packet
            packet = self._unescape()
            self._partial.clear()
            self._in_packet = False
            if packet is not None:
                yield packet
        if self._in_packet:
            self._append(rest)

    def _append(self, piece: bytes) -> None:
        # One byte over twice the limit (everything escaped) is kept: enough to see that it is over.
        self._partial += piece[: 2 * self._limit + 1 - len(self._partial)]

    def _unescape(self) -> bytes | None:
        raw = bytes(self._partial)
        if _ESC not in raw:
            return raw if len(raw) <= self._limit else None
        escapes = raw.count(_ESC)
        if raw.count(_ESCAPED_END) + raw.count(_ESCAPED_ESC) != escapes:
            return None
        packet = raw.replace(_ESCAPED_END, _END).replace(_ESCAPED_ESC, _ESC)
        return packet if len(packet) <= self._limit else None
