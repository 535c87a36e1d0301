# SPDX-License-Identifier: MIT
"""A network that fails: what lies between a client and a device, and cuts after so many bytes."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

_LIMIT_S = 30.0


class DroppingProxy:
    """Forwards connections to a port of this computer; a context.

    Once the bytes are used up, in either direction, it passes nothing on and takes no connection.

    Attributes:
        port: where it listens.
        sent, received: bytes passed on to the device, and back.
        heard: all of them.
    """

    def __init__(
        self,
        target: int,
        *,
        sent_limit: int | None = None,
        received_limit: int | None = None,
        alter: Callable[[bytes], bytes] = lambda data: data,
    ) -> None:
        """Forward to a port; `alter` makes what is passed on, in either direction."""
        self._target = target
        self._alter = alter
        self.heard = bytearray()
        self._limits = [sent_limit, received_limit]
        self.sent = self.received = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> DroppingProxy:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.close()
        self._thread.join(_LIMIT_S)
        assert not self._thread.is_alive()
        self._stopped.close()

    def _serve(self) -> None:
        with self._listener:
            while self._stopped not in self._readable(self._listener):
                client, _ = self._listener.accept()
                with client, suppress(OSError):
                    self._pass_on(client)
                if self._is_over():
                    return

    def _pass_on(self, client: socket.socket) -> None:
        """One connection; our client has one at a time."""
        with socket.create_connection(("127.0.0.1", self._target)) as device:
            for side in (client, device):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self._is_over():
                ready = self._readable(client, device)
                if self._stopped in ready:
                    return
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    self.heard += data
                    data = self._alter(data)
                    if source is client:
                        data = data[: self._left(0, self.sent, len(data))]
                        device.sendall(data)
                        self.sent += len(data)
                    else:
                        data = data[: self._left(1, self.received, len(data))]
                        client.sendall(data)
                        self.received += len(data)

    def _readable(self, *sockets: socket.socket) -> list[socket.socket]:
        return select.select([self._stopped, *sockets], [], [])[0]

    def _left(self, direction: int, passed: int, most: int) -> int:
        limit = self._limits[direction]
        return most if limit is None else min(most, limit - passed)

    def _is_over(self) -> bool:
        return self.sent == self._limits[0] or self.received == self._limits[1]
