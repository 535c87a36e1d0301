# SPDX-License-Identifier: MIT
"""The board's process: `python -m viper.virtual_board <state folder> --name NAME`.

The command returns when the board answers, and prints {"error": null}, or what kept it from
starting. The board goes on alone: with its own session, no inherited descriptor, and a lock on its
folder that ends with it.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import fcntl
import json
import os
import signal
import socket
import sys
import traceback
from pathlib import Path

from viper.base.errors import UserError
from viper.virtual_board import http_port, serial_port, state
from viper.virtual_board.board import VirtualBoard
from viper.virtual_board.control import source_digest
from viper.virtual_board.control_server import ControlServer
from viper.virtual_board.state import BoardState
from viper.virtual_chip.chip import CHIPS, FLASH_SIZES, MIB, PSRAM_SIZES

_FOLDER_CHECK_S = 1.0


def main(arguments: list[str] | None = None) -> int:
    """Start a board in the background; 0 when it runs, or another process runs it already."""
    parser = argparse.ArgumentParser(prog="python -m viper.virtual_board", description=__doc__)
    parser.add_argument("folder", type=lambda text: Path(text).resolve(), help="state folder")
    parser.add_argument("--name", required=True)
    parser.add_argument("--http-port", type=int, help="default: the one it had, if it is free")
    parser.add_argument("--chip", choices=CHIPS, default="esp32s3", help="of a new board")
    parser.add_argument(
        "--flash-size", type=int, choices=FLASH_SIZES, default=16 * MIB, help="of a new board"
    )
    parser.add_argument(
        "--psram-size", type=int, choices=PSRAM_SIZES, default=8 * MIB, help="of a new board"
    )
    options = parser.parse_args(arguments)
    source = source_digest()

    ours, theirs = os.pipe()
    if os.fork():
        os.close(theirs)
        with os.fdopen(ours, "rb") as pipe:
            report = pipe.read().decode() or '{"error": "it ended at once", "next_step": ""}'
        print(report)
        return 0 if json.loads(report)["error"] is None else 2

    ready = _Report(theirs)
    try:
        lock = _lock(options.folder)
        if lock is not None:
            _detach(options.folder, keep=(theirs, lock))
            known, lease = _claim_http_port(_known_state(options), options.http_port)
            with lease:
                asyncio.run(_run(options.folder, known, source, ready))
        ready.send()
    except UserError as error:
        ready.send(error.what, error.next_step)
        return 2
    except Exception as error:
        traceback.print_exc()
        log = options.folder / state.ERROR_LOG
        ready.send(f"the virtual board cannot run: {error}", f"see {log}")
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


def _known_state(options: argparse.Namespace) -> BoardState:
    """The folder's board, or a new one."""
    known = state.load(options.folder)
    return known or state.create(options.name, options.chip, options.flash_size, options.psram_size)


def _claim_http_port(known: BoardState, wanted: int | None) -> tuple[BoardState, socket.socket]:
    """Give the board its HTTP port; what holds it, too."""
    try:
        if wanted is None:
            port, lease = http_port.claim_any(known.http_port)
        else:
            port, lease = wanted, http_port.claim(wanted)
    except http_port.PortTaken as taken:
        raise http_port.refusal(known.name, wanted or known.http_port, taken) from None
    return dataclasses.replace(known, http_port=port), lease


async def _run(folder: Path, known: BoardState, source: str, ready: _Report) -> None:
    """Be the board until told to stop."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stopped.set)

    listener = serial_port.bind(known.serial_port)
    known = dataclasses.replace(known, serial_port=listener.getsockname()[1])
    state.save(folder, known)
    try:
        board = VirtualBoard(folder, known.as_chip(), listener, known.http_port)
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


if __name__ == "__main__":
    sys.exit(main())
