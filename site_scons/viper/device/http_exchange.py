# SPDX-License-Identifier: MIT
"""HTTP with a device, whose answers have a limit in bytes and in seconds, whatever it sends."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPMessage, IncompleteRead
from typing import Any

MISBEHAVIOUR = (OSError, HTTPException, ValueError)
"""What an exchange raises: no answer, none in time, or none that is HTTP (which may be any of
http.client's own slips over nonsense)."""


class TooLong(HTTPException):
    """An answer of more bytes than it may have."""


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    line: str  # of the status, as curl shows it
    status: int
    fields: HTTPMessage
    body: bytes


class HttpExchange:
    """A connection to one host, made anew when it is lost."""

    def __init__(self, host: str, port: int) -> None:
        """Connects to nothing yet."""
        self._address = (host, port)
        self._connection: _Connection | None = None

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        fields: Mapping[str, str] | None = None,
        *,
        limit: int,
        within_s: float,
    ) -> Answer:
        """One request and its answer.

        Args:
            target: path and query.
            fields: header fields.
            limit: bytes of the answer's body.
            within_s: from the request to the last byte of its answer.

        Raises:
            MISBEHAVIOUR: there is no such answer; the connection is closed.
        """
        if self._connection is None:
            self._connection = _Connection(*self._address, timeout=within_s)
        connection = self._connection
        connection.deadline = time.monotonic() + within_s
        try:
            connection.request(method, target, body, fields or {})
            response = connection.getresponse()
            if response.length is None and not response.chunked:
                raise HTTPException("its answer has no length")  # so one that is cut looks, too
            content = response.read(limit + 1)
            if len(content) > limit:
                raise TooLong(f"its answer has more than {limit} bytes")
            if response.length:
                raise IncompleteRead(content, response.length)
            version = f"{response.version // 10}.{response.version % 10}"
            line = f"HTTP/{version} {response.status} {response.reason}"
            return Answer(line, response.status, response.headers, content)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next request makes another one."""
        if self._connection is not None:
            with suppress(OSError):
                self._connection.close()
            self._connection = None


class _Connection(HTTPConnection):
    """A connection on which nothing is waited for longer than until its deadline."""

    deadline = 0.0

    def connect(self) -> None:
        super().connect()
        self.sock = _TimedSocket(self, self.sock.detach())


class _TimedSocket(socket.socket):
    def __init__(self, connection: _Connection, fileno: int) -> None:
        super().__init__(fileno=fileno)
        self._of = connection

    def recv_into(self, *arguments: Any) -> int:
        self._wait_no_longer()
        return super().recv_into(*arguments)

    def sendall(self, *arguments: Any) -> None:
        self._wait_no_longer()
        super().sendall(*arguments)

    def _wait_no_longer(self) -> None:
        left = self._of.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("no whole answer in time")
        self.settimeout(left)
