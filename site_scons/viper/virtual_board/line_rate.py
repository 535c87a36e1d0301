# SPDX-License-Identifier: MIT
"""One direction of the serial line: in order, and at the line's rate when it is held to it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

_BITS_PER_BYTE = 10  # 8 data bits, start and stop
_PIECE_S = 0.002  # bytes are handed on in pieces of this long: fine enough for a packet's answer


class Timer(Protocol):
    """What `Clock.call_at` returns."""

    def cancel(self) -> None:
        """Let the callback not be called any more."""


class Clock(Protocol):
    """The part of an asyncio event loop that a wire needs."""

    def time(self) -> float:
        """Seconds since a moment of the clock's own."""

    def call_at(self, when: float, callback: Callable[[], None], /) -> Timer:
        """Let something be called at a time of this clock."""


class Wire:
    """Takes bytes at one end and delivers them at the other.

    Args:
        clock: what time it is.
        deliver: takes the bytes at the far end.

    Attributes:
        baudrate: the rate to hold the line to; None hands bytes on at once.
        delay_s: seconds that every byte takes on top.
        pending: bytes sent and not delivered.
    """

    def __init__(self, clock: Clock, deliver: Callable[[bytes], None]) -> None:
        self.baudrate: int | None = None
        self.delay_s = 0.0
        self.pending = 0
        self._clock = clock
        self._deliver = deliver
        self._queue: deque[tuple[float, memoryview]] = deque()  # earliest start, bytes
        self._timer: Timer | None = None
        self._free_at = 0.0  # when the line has carried what was handed on

    def send(self, data: bytes) -> None:
        """Put bytes on the line."""
        if not data:
            return
        if self.baudrate is None and not self.delay_s and not self.pending:
            self._deliver(data)
            return
        self._queue.append((self._clock.time() + self.delay_s, memoryview(data)))
        self.pending += len(data)
        if self._timer is None:
            self._carry_next()

    def purge(self) -> None:
        """Drop the bytes that have not been delivered."""
        self._queue.clear()
        self.pending = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _carry_next(self) -> None:
        """Take the next piece off the queue, to deliver it when its last bit has passed."""
        start, data = self._queue.popleft()
        piece = data
        self._free_at = max(start, self._free_at)
        if self.baudrate is not None:
            piece = data[: max(1, int(self.baudrate * _PIECE_S / _BITS_PER_BYTE))]
            self._free_at += len(piece) * _BITS_PER_BYTE / self.baudrate
        if len(piece) < len(data):
            self._queue.appendleft((start, data[len(piece) :]))
        self._timer = self._clock.call_at(self._free_at, partial(self._arrive, bytes(piece)))

    def _arrive(self, piece: bytes) -> None:
        self._timer = None
        self.pending -= len(piece)
        if self._queue:
            self._carry_next()
        self._deliver(piece)
