# SPDX-License-Identifier: MIT
"""The port of a board's page: it stays open while QEMU, which forwards it on, starts anew."""

from __future__ import annotations

import asyncio
import contextlib
import socket

_PIECE = 64 * 1024


class ForwardedPort:
    """A TCP port on 127.0.0.1 whose connections go on to another one.

    Attributes:
        target: the port that they go to; 0 while there is none.
    """

    def __init__(self, listener: socket.socket) -> None:
        self.target = 0
        self._listener = listener
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Future[None]] = set()

    async def serve(self) -> None:
        """Start listening."""
        self._server = await asyncio.start_server(self._forward, sock=self._listener)

    def close(self) -> None:
        """Stop listening, and cut off who is connected."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until both ends have said all."""
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:  # QEMU is not there yet
            writer.close()
            return
        directions = [
            asyncio.ensure_future(_carry(*pair)) for pair in ((reader, back), (there, writer))
        ]
        self._tasks.update(directions)
        with contextlib.suppress(OSError, asyncio.CancelledError):  # one end has gone
            await asyncio.gather(*directions)
        for task in directions:
            task.cancel()
        self._tasks.difference_update(directions)
        back.close()
        writer.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction of a connection, to its end."""
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def bind(number: int) -> socket.socket:
    """A socket on a port that has been claimed."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", number))
    return listener


def free() -> int:
    """A port that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number
