# SPDX-License-Identifier: MIT
"""The board's side of control: one JSON request and one JSON answer per connection.

The socket is a local one in the abstract namespace: it exists exactly as long as the process does,
works whatever file system the state folder is on, and tells who is asking.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from viper.virtual_board.board import Board
from viper.virtual_board.state import CONSOLE_LOG, BoardState

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: struct ucred, see unix(7)


def address(folder: Path) -> str:
    """The socket of the board in a state folder."""
    digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()
    return f"\0viperhttp-board-{digest[:32]}"


def peer_pid(connection: socket.socket) -> int:
    """The process at the other end of a local socket, at a server's the one that listens."""
    return _credentials(connection)[0]


def peer_uid(connection: socket.socket) -> int:
    """The user at the other end of a local socket."""
    return _credentials(connection)[1]


def _credentials(connection: socket.socket) -> tuple[int, int, int]:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, uid, gid = _CREDENTIALS.unpack(raw)
    return pid, uid, gid


class ControlServer:
    """Answers callers of the same user.

    Args:
        board: what they ask about.
        folder: the state folder.
        state: the board's identity.
        source: digest of the program that runs here.
        stop: ends the process.
    """

    def __init__(
        self,
        board: Board,
        folder: Path,
        state: BoardState,
        source: str,
        stop: Callable[[], None],
    ) -> None:
        self._board = board
        self._folder = folder
        self._state = state
        self._source = source
        self._actions: dict[str, Callable[..., Any]] = {
            "info": self._info,
            "stop": stop,
            "reset": board.reset,
            "power_off": board.power_off,
            "power_on": board.power_on,
            "set_line": board.set_line,
            **board.machine.actions(),
        }

    async def serve(self) -> None:
        """Start listening."""
        self._server = await asyncio.start_unix_server(self._answer, address(self._folder))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one caller."""
        connection: socket.socket = writer.get_extra_info("socket")
        try:
            if peer_uid(connection) != os.getuid():
                return
            try:
                request = json.loads(await reader.readline())
                action = self._actions[request.pop("do")]
                inspect.signature(action).bind(**request)
            except (ValueError, TypeError, KeyError, AttributeError):
                return  # not a request
            writer.write(json.dumps(action(**request)).encode() + b"\n")
            await writer.drain()
        except ConnectionError:
            pass  # the caller has gone
        finally:
            writer.close()

    def _info(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "maker": self._state.maker,
            "name": self._state.name,
            "mac": self._state.mac,
            "chip": self._state.chip,
            "flash_size": self._state.flash_size,
            "port_url": f"rfc2217://127.0.0.1:{self._board.port.number}",
            "http_port": self._state.http_port,
            "mode": self._board.machine.mode.value,
            "port_holder": self._board.port.holder,
            "console_log": str(self._folder / CONSOLE_LOG),
            "source": self._source,
        }
