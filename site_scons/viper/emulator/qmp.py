# SPDX-License-Identifier: MIT
"""QEMU's monitor: commands and answers in JSON, one to a line (docs/interop/qmp-spec of QEMU)."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

_ANSWER_S = 10.0
_LINE_LIMIT = 1 << 20  # bytes


class MonitorError(Exception):
    """QEMU refuses a command, does not answer in time, or has ended."""


class Monitor:
    """A monitor that is ready for commands; `connect` makes it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @staticmethod
    async def connect(connection: socket.socket) -> Monitor:
        """Greet a QEMU at the other end.

        Raises:
            MonitorError: it is none, or has ended.
        """
        reader, writer = await asyncio.open_connection(sock=connection, limit=_LINE_LIMIT)
        monitor = Monitor(reader, writer)
        await monitor._within("greeting", monitor._until("QMP"))
        await monitor.execute("qmp_capabilities")
        return monitor

    async def execute(self, command: str, event: str = "") -> None:
        """Have it do something, and wait until it has: until it answers, and tells of an event.

        Args:
            event: which one; what the guest has done by itself does not count.

        Raises:
            MonitorError: it refuses, or does not answer in time.
        """
        self._writer.write(json.dumps({"execute": command}).encode() + b"\n")
        await self._within(command, self._until("return", event))

    def close(self) -> None:
        """Let go of the connection."""
        self._writer.close()

    async def _within(self, what: str, waiting: Any) -> None:
        try:
            await asyncio.wait_for(waiting, _ANSWER_S)
        except asyncio.TimeoutError:
            raise MonitorError(f"QEMU does not answer to {what}") from None

    async def _until(self, answer: str, event: str = "") -> None:
        wanted = {answer, event} - {""}  # they come in any order
        while wanted:
            message = await self._message()
            if "error" in message:
                raise MonitorError(f"QEMU: {message['error'].get('desc', '')}")
            wanted.discard(answer if answer in message else "")
            if not message.get("data", {}).get("guest"):
                wanted.discard(message.get("event", ""))

    async def _message(self) -> dict[str, Any]:
        try:
            line = await self._reader.readline()
            message = json.loads(line)
        except (OSError, ValueError):
            line, message = b"", None
        if not line or not isinstance(message, dict):
            raise MonitorError("QEMU has ended")
        return message
