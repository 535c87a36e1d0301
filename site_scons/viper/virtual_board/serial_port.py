# SPDX-License-Identifier: MIT
"""The board's serial port on the network: RFC 2217 on 127.0.0.1, one client at a time, one user."""

from __future__ import annotations

import asyncio
import os
import socket

from viper.ports import telnet
from viper.virtual_board import rfc2217, tcp_table

HOST = "127.0.0.1"

# Above this the board stops taking from whoever is faster, as flow control would.
BUFFER_LIMIT = 64 * 1024


def bind(number: int) -> socket.socket:
    """A socket on a port that the board had before, or on another if that is taken or 0."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, number))
    except OSError:
        listener.bind((HOST, 0))
    return listener


class SerialPort:
    """The server. Clients of other users and second clients are told why, and disconnected.

    Args:
        events: what a client's wishes do; when a client goes, both control lines are released.
        listener: where it listens, from `bind`.

    Attributes:
        number: the TCP port that it listens on.
    """

    def __init__(self, events: rfc2217.PortEvents, listener: socket.socket) -> None:
        self._events = events
        self._client: _Client | None = None
        self._server: asyncio.Server | None = None
        self._listener = listener
        self.number: int = listener.getsockname()[1]

    async def serve(self) -> None:
        """Start listening."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), sock=self._listener)

    def close(self) -> None:
        """Stop listening, and cut off the client."""
        if self._server is not None:
            self._server.close()
        if self._client is not None:
            self._client.transport.abort()

    @property
    def holder(self) -> str | None:
        """Who is connected, for a message; None when nobody is."""
        return tcp_table.describe(self._client.peer) if self._client else None

    @property
    def connected(self) -> bool:
        """Whether a client has the port."""
        return self._client is not None

    @property
    def unsent(self) -> int:
        """Bytes that the client has not taken."""
        return self._client.transport.get_write_buffer_size() if self._client else 0

    def send(self, data: bytes) -> None:
        """Bytes from the board; nobody connected, they are lost, as on any serial line."""
        if self._client is not None:
            self._client.transport.write(telnet.escape(data))

    def pause(self, paused: bool) -> None:
        """Stop or go on reading from the client."""
        if self._client is not None and not self._client.transport.is_closing():
            if paused:
                self._client.transport.pause_reading()
            else:
                self._client.transport.resume_reading()


class _Client(asyncio.Protocol):
    """One connection."""

    transport: asyncio.Transport
    session: rfc2217.Rfc2217Session
    peer: tcp_table.Socket

    def __init__(self, port: SerialPort) -> None:
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        address, port = transport.get_extra_info("peername")
        peer = tcp_table.client_socket(address, port, self._port.number)
        if peer is None or peer.uid != os.getuid():
            self._refuse("this virtual board belongs to another user")
        elif self._port.connected:
            self._refuse(f"the virtual board's port is held by {self._port.holder}")
        else:
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.peer = peer
            self._port._client = self
            self.session = rfc2217.Rfc2217Session(self._port._events, transport.write)

    def _refuse(self, why: str) -> None:
        self.transport.write(f"{why}\r\n".encode())
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        if self._port._client is self:
            self.session.receive(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._port._client is self:
            self._port._client = None
            self._port._events.purge_to_client()
            self._port._events.control(False, False)
