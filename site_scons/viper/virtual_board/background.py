# SPDX-License-Identifier: MIT
"""A board's process: it goes on alone when the command that has started it returns.

The command returns when the board answers, and prints {"error": null}, or what kept it from
starting. The board has its own session, no inherited descriptor, and a lock on its folder that ends
with it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import fcntl
import json
import os
import signal
import socket
import traceback
from collections.abc import Callable
from pathlib import Path

from viper.base.errors import UserError
from viper.virtual_board import http_port, serial_port, state
from viper.virtual_board.board import Board
from viper.virtual_board.control_server import ControlServer
from viper.virtual_board.machine import Machine, Surroundings
from viper.virtual_board.state import BoardState

_FOLDER_CHECK_S = 1.0

Carries = Callable[[Surroundings, BoardState], Machine]
"""Makes what is on a board."""


def run(
    folder: Path, new: BoardState, wanted_http_port: int | None, source: str, carries: Carries
) -> int:
    """Start a board in the background; 0 when it runs, or another process runs it already.

    Args:
        folder: its state folder, absolute.
        new: what it is if there is none in the folder yet.
        wanted_http_port: None for the one it had, if that is free.
        source: what tells the program that it runs from another.
    """
    ours, theirs = os.pipe()
    if os.fork():
        os.close(theirs)
        with os.fdopen(ours, "rb") as pipe:
            report = pipe.read().decode() or '{"error": "it ended at once", "next_step": ""}'
        print(report)
        return 0 if json.loads(report)["error"] is None else 2

    ready = _Report(theirs)
    try:
        lock = _lock(folder)
        if lock is not None:
            _detach(folder, keep=(theirs, lock))
            known, lease = _claim_http_port(state.load(folder) or new, wanted_http_port)
            with lease:
                asyncio.run(_run(folder, known, source, carries, ready))
        ready.send()
    except UserError as error:
        ready.send(error.what, error.next_step)
        return 2
    except Exception as error:
        traceback.print_exc()
        log = folder / state.ERROR_LOG
        ready.send(f"the board cannot run: {error}", f"see {log}")
        return 1
    return 0


class _Report:
    """The one message to whoever started the board."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def send(self, error: str | None = None, next_step: str = "") -> None:
        """Send it, the first time."""
        if self._descriptor is not None:
            text = json.dumps({"error": error, "next_step": next_step})
            os.write(self._descriptor, text.encode())
            os.close(self._descriptor)
            self._descriptor = None


def _detach(folder: Path, keep: tuple[int, ...]) -> None:
    """Leave the caller's session, terminal, folder and all descriptors but those to keep."""
    os.setsid()
    os.chdir("/")
    os.umask(0o077)  # the flash may hold a person's passwords
    null = os.open(os.devnull, os.O_RDWR)
    log = os.open(folder / state.ERROR_LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for number, source in ((0, null), (1, log), (2, log)):
        os.dup2(source, number)
    start = 3
    for descriptor in sorted(keep):
        os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, os.sysconf("SC_OPEN_MAX"))


def _lock(folder: Path) -> int | None:
    """Lock the folder for this process's life; None if another board has it."""
    path = folder / state.LOCK_FILE
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}", f"make {folder} writable") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    return descriptor


def _claim_http_port(known: BoardState, wanted: int | None) -> tuple[BoardState, socket.socket]:
    """Give the board its HTTP port; what holds it, too."""
    try:
        if wanted is None:
            port, lease = http_port.claim_any(known.http_port)
        else:
            port, lease = wanted, http_port.claim(wanted)
    except http_port.PortTaken as taken:
        raise http_port.refusal(known.called, wanted or known.http_port, taken) from None
    return dataclasses.replace(known, http_port=port), lease


async def _run(
    folder: Path, known: BoardState, source: str, carries: Carries, ready: _Report
) -> None:
    """Be the board until told to stop."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stopped.set)

    listener = serial_port.bind(known.serial_port)
    known = dataclasses.replace(known, serial_port=listener.getsockname()[1])
    state.save(folder, known)
    try:
        board = Board(folder, listener, lambda board: carries(board, known))
    except ValueError as error:
        raise UserError(str(error), f"remove {folder}") from None
    control = ControlServer(board, folder, known, source, stopped.set)
    try:
        await board.start()
        await control.serve()
        ready.send()
        while _folder_is_there(folder) and not stopped.is_set():
            try:
                await asyncio.wait_for(stopped.wait(), _FOLDER_CHECK_S)
            except asyncio.TimeoutError:
                continue
    finally:
        board.close()


def _folder_is_there(folder: Path) -> bool:
    """Whether the board's files are still where they were: a removed folder ends the board."""
    return (folder / state.LOCK_FILE).exists()
