"""Work on a device, as the build graph sees it: a request, a child process, a result."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viper import console, port, process
from viper.errors import UserError

SAME = "same"
WRITTEN = "written"
LEFT_ALONE = "left alone"

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

    mac: str = ""  # 12 hex digits, lower case
    host: str = ""  # where it was reached, if that was over the network
    parts: tuple[PartResult, ...] = ()  # in the order of writing
    moving: tuple[tuple[str, str, str], ...] = ()  # data partitions: name, what becomes of it, how
    carried: int = 0  # files that were carried over to another partition
    backup: str = ""  # the folder of a backup that was made
    files_sent: tuple[str, ...] = ()  # paths on the device that were updated one by one
    files_deleted: tuple[str, ...] = ()
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
        return bool(self.bytes_written or self.files_sent or self.files_deleted)

    @property
    def left_alone(self) -> tuple[str, ...]:
        """The parts that were left as they are because they may hold a user's data."""
        return tuple(part.name for part in self.parts if part.action == LEFT_ALONE)


def flash(request: FlashRequest) -> FlashResult:
    """Bring a device up to date with an image. Whatever happens, its application is started.

    The work is done by a child process in a session of its own, which takes the lock of the port
    and answers an interrupt by resetting the device.

    Raises:
        UserError: the port is busy or silent, the device is of the wrong kind, the image is not
            there, the flash is worn out, ...
        KeyboardInterrupt: Ctrl-C; the device has been reset into its application.
    """
    command = [sys.executable, "-m", "viper.flasher", _encode(request)]
    with _Listener(request.port) as listener:
        try:
            process.run(command, environment=process.module_environment(), on_line=listener.hear)
        except process.ToolFailed as failure:
            if listener.error is not None:
                raise listener.error from None
            if failure.status is not None and failure.status < 0:
                raise UserError(
                    f"PORT={request.port}: the flasher was killed (signal {-failure.status})",
                    request.again,
                ) from None
            raise RuntimeError(f"the flasher failed:\n{failure.output}") from failure
    if listener.result is None:
        raise RuntimeError("the flasher ended without a result")
    return listener.result


class _Listener:
    """What the child says, one JSON object to a line."""

    def __init__(self, port: str) -> None:
        self._port = port
        self._bar = ExitStack()
        self._show: Callable[[int], None] = lambda done: None
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
    record["parts"] = tuple(PartResult(**part) for part in record["parts"])
    for key in ("files_sent", "files_deleted"):
        record[key] = tuple(record[key])
    record["moving"] = tuple(map(tuple, record["moving"]))
    return FlashResult(**record)
