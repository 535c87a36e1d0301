# SPDX-License-Identifier: MIT
"""Work on a device, as the build graph sees it: a request, a child process, a result."""

from __future__ import annotations

import dataclasses
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viper.base import console, interrupt, process
from viper.base.errors import UserError
from viper.base.mac import Mac
from viper.ports import port

SAME = "same"
WRITTEN = "written"
LEFT_ALONE = "left alone"

WORKER = "VIPERHTTP_FLASH_WORKER"  # the variable that says where a flash_worker stays

FLASH, PLAN, SYNC, BACKUP, RESTORE = "flash", "plan", "sync", "backup", "restore"  # the goals


@dataclass(frozen=True)
class FlashRequest:
    """What is to be done, with which image, and where."""

    port: str  # as the user gave it, for messages
    url: str  # what pyserial opens: a device file or viper://host:port
    baud: int
    image: Path  # flash.json
    root: Path  # the folder that the sources in flash.json are relative to
    stamps: Path  # the folder of the devices' stamps
    build: str  # the build id of the image's firmware
    backups: Path  # the folder of the devices' backups
    goal: str = FLASH
    delete_extras: bool = True  # whether a sync removes what is in its scope and not in the image
    repartition: str = ""  # what becomes of data when partitions change: repartition.KEEP or WIPE
    theirs: str = ""  # what becomes of files of the user's where ours are to be: see sync.theirs
    space: str = ""  # sync.transfer.INPLACE where new files may replace old ones one by one
    source: Path | None = None  # the backup to restore; None for that of an interrupted repartition

    @property
    def again(self) -> str:
        """The next step after work that broke off."""
        return f"{port.typed(self.goal, self.port)} again: it goes on where it stopped"


@dataclass(frozen=True)
class PartResult:
    """What was done, or would be, about one part of the image."""

    name: str
    action: str  # SAME, WRITTEN or LEFT_ALONE
    sectors: int  # erased and written, 4096 bytes each
    size: int  # the same in bytes


@dataclass(frozen=True)
class FlashResult:
    """What was done; with the goal PLAN, what would be."""

    mac: Mac | None = None  # None if it was not asked
    host: str = ""  # where it was reached, if that was over the network
    parts: tuple[PartResult, ...] = ()  # in the order of writing
    moving: tuple[tuple[str, str, str], ...] = ()  # data partitions: name, what becomes of it, how
    carried: int = 0  # files that were carried over to another partition
    backup: str = ""  # the folder of a backup that was made
    files_sent: tuple[str, ...] = ()  # paths on the device that were updated one by one
    files_deleted: tuple[str, ...] = ()
    files_moved: tuple[tuple[str, str], ...] = ()  # their content was there: old path, new path
    kept: tuple[str, ...] = ()  # the user's, where ours were to be
    others: tuple[str, ...] = ()  # the user's, of a device that had no note of what is ours
    conflicts: tuple[tuple[str, str], ...] = ()  # with the goal PLAN: path, and what is in the way
    put_back: bool = False  # whether an interrupted sync's volume was taken back to before it
    bytes_on_wire: int = 0  # from the host to the device over a serial port, everything counted
    reset_s: float = 0.0  # opening the port, reset into download mode, sync
    stub_s: float = 0.0  # uploading esptool's stub, changing the baud rate, attaching the flash
    confirm_s: float = 0.0  # asking the chip what it holds
    write_s: float = 0.0  # erasing, writing, verifying
    files_s: float = 0.0  # the sync, the application's start included

    @property
    def bytes_written(self) -> int:
        """Bytes of flash erased and written by sectors."""
        return sum(part.size for part in self.parts)

    @property
    def changed(self) -> bool:
        """Whether the device was changed, or would be."""
        files = self.files_sent or self.files_deleted or self.files_moved
        return bool(self.bytes_written or files)

    @property
    def left_alone(self) -> tuple[str, ...]:
        """The parts that were left as they are because they may hold a user's data."""
        return tuple(part.name for part in self.parts if part.action == LEFT_ALONE)


def flash(request: FlashRequest) -> FlashResult:
    """Bring a device up to date with an image. Whatever happens, its application is started.

    The work is done by another process (viper.update.worker), which takes the lock of the port and
    answers an interrupt by resetting the device: by the one that stays, if WORKER says where, or by
    a child in a session of its own.

    Raises:
        UserError: the port is busy or silent, the device is of the wrong kind, the image is not
            there, the flash is worn out, ...
        KeyboardInterrupt: Ctrl-C; the device has been reset into its application.
    """
    with _Listener(request.port) as listener:
        if WORKER in os.environ:
            _ask(os.environ[WORKER], request, listener)
        else:
            _work(request, listener)
        if listener.error is not None:
            raise listener.error
    if listener.result is None:
        raise UserError(
            f"PORT={request.port}: the flasher ended before its work was done", request.again
        )
    return listener.result


def _work(request: FlashRequest, listener: _Listener) -> None:
    """Have a request done by a process for it alone."""
    command = [sys.executable, "-m", "viper.update.worker", _encode(request)]
    try:
        process.run(command, environment=process.module_environment(), on_line=listener.hear)
    except process.ToolFailed as failure:
        if failure.status is not None and failure.status < 0:
            raise UserError(
                f"PORT={request.port}: the flasher was killed (signal {-failure.status})",
                request.again,
            ) from None
        if listener.error is None:
            raise RuntimeError(f"the flasher failed:\n{failure.output}") from failure


def _ask(address: str, request: FlashRequest, listener: _Listener) -> None:
    """Have a request done by the process that stays.

    Raises:
        KeyboardInterrupt: Ctrl-C, which was handed on.
    """
    signals = interrupt.fileno()
    pending = b""
    with socket.socket(socket.AF_UNIX) as worker:
        worker.connect(address)
        worker.sendall(f"{_encode(request)}\n".encode())
        watched = [worker] if signals is None else [worker, signals]
        try:
            while True:
                if signals in select.select(watched, [], [])[0]:
                    raise KeyboardInterrupt
                chunk = worker.recv(65536)
                if not chunk:
                    return
                *lines, pending = (pending + chunk).split(b"\n")
                for line in lines:
                    listener.hear(line.decode())
        except KeyboardInterrupt:
            if listener.worker is not None:
                os.kill(listener.worker, signal.SIGINT)
            _wait_for_end(worker)
            raise


def _wait_for_end(worker: socket.socket) -> None:
    """Wait until a process has closed its side, as long as an interrupt may take it."""
    worker.settimeout(interrupt.GRACE_S)
    with suppress(TimeoutError, ConnectionError):
        while worker.recv(65536):
            pass


class _Listener:
    """What the child says, one JSON object to a line."""

    def __init__(self, port: str) -> None:
        self._port = port
        self._bar = ExitStack()
        self._show: Callable[[int], None] = lambda done: None
        self.worker: int | None = None  # the process that stays
        self.error: UserError | None = None
        self.result: FlashResult | None = None

    def __enter__(self) -> _Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def hear(self, line: str) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            return  # a library's word on standard error; it is shown if the child fails
        match message:
            case {"pid": int(pid)}:
                self.worker = pid
            case {"total": int(total), "doing": str(doing)}:
                self._bar.close()
                self._show = self._bar.enter_context(
                    console.progress(f"{doing:<8} {self._port}", total)
                )
            case {"tag": str(tag), "line": str(line)}:
                console.step(tag, line)
            case {"done": int(done)}:
                self._show(done)
            case {"error": str(what), "next": str(next_step)}:
                self.error = UserError(what, next_step)
            case {"result": dict(result)}:
                self.result = _decode_result(result)


def _encode(request: FlashRequest) -> str:
    record = dataclasses.asdict(request)
    return json.dumps(record, default=str)


def decode_request(text: str) -> FlashRequest:
    """Read what `flash` has handed to the child."""
    record = json.loads(text)
    for key in ("image", "root", "stamps", "backups"):
        record[key] = Path(record[key])
    if record["source"] is not None:
        record["source"] = Path(record["source"])
    return FlashRequest(**record)


def _decode_result(record: dict[str, Any]) -> FlashResult:
    record["mac"] = Mac(record["mac"]) if record["mac"] else None
    record["parts"] = tuple(PartResult(**part) for part in record["parts"])
    for key in ("files_sent", "files_deleted", "kept", "others"):
        record[key] = tuple(record[key])
    for key in ("moving", "files_moved", "conflicts"):
        record[key] = tuple(map(tuple, record[key]))
    return FlashResult(**record)
