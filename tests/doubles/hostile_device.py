# SPDX-License-Identifier: MIT
"""A stranger at a device's address: a server that answers each request with what it is told to.

It may know a device's token, as a device that was taken over does, and seal its nonsense.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_WAIT_S = 30.0

Answer = bytes | Callable[[socket.socket], None]
"""What is sent, or what sends it."""


class HostileDevice:
    """The server, in threads of its own.

    Attributes:
        host: where it is, name:port.
        heard: all that it was sent.
        answer: what it does about a request, given its head.
    """

    def __init__(self, answer: Callable[[bytes], Answer]) -> None:
        self.answer = answer
        self.heard = bytearray()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []

    @contextmanager
    def serving(self) -> Iterator[HostileDevice]:
        accepting = threading.Thread(target=self._accept)
        accepting.start()
        try:
            yield self
        finally:
            self._listener.shutdown(socket.SHUT_RDWR)
            accepting.join(_WAIT_S)
            self._listener.close()
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                threading.Thread(target=self._serve, args=(connection,)).start()

    def _serve(self, connection: socket.socket) -> None:
        pending = b""
        with connection, suppress(OSError):
            while data := connection.recv(65536):
                self.heard += data
                pending += data
                while b"\r\n\r\n" in pending:
                    head, _, pending = pending.partition(b"\r\n\r\n")
                    length = re.search(rb"(?i)content-length: (\d+)", head)
                    size = int(length[1]) if length else 0
                    while len(pending) < size and (data := connection.recv(65536)):
                        self.heard += data
                        pending += data
                    pending = pending[size:]
                    answer = self.answer(head)
                    if callable(answer):
                        answer(connection)
                        return
                    connection.sendall(answer)


def http(body: bytes, status: str = "200 OK", fields: str = "") -> bytes:
    """An answer that is HTTP."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{fields}\r\n"
    return head.encode() + body


def challenge(mac: str, nonce: str = "0" * 32) -> bytes:
    """What a device says to those without a seal."""
    field = f'WWW-Authenticate: HMAC-SHA256 realm="{mac}", nonce="{nonce}"\r\n'
    return http(b'{"detail": "no"}', "401 Unauthorized", field)


def sealed(head: bytes, token: str, body: bytes, status: int = 200) -> bytes:
    """An answer to a request that is sealed as the device does."""
    found = re.search(rb'nonce="(\w+)", cnonce="(\w+)"', head)
    assert found is not None
    digest = hashlib.sha256(body).hexdigest()
    said = ("answer", found[1].decode(), found[2].decode(), str(status), "1" * 32, digest)
    key = hashlib.sha256(token.encode()).digest()
    seal = hmac.new(key, "\n".join(said).encode(), hashlib.sha256).hexdigest()
    field = f'Authentication-Info: nextnonce="{"1" * 32}"\r\n'
    return http(body + seal.encode(), f"{status} It", field)
