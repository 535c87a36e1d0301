# SPDX-License-Identifier: MIT
"""A device's files over the network; the requests are in firmware/python/viperhttp/sync_routes.py.

Without a serial port nothing can be put back into a FAT that a power cut has damaged: see
docs/flashing.md.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from viper.base import console, schema
from viper.base.schema import Record
from viper.device.endpoints import DeviceHttp, Endpoint
from viper.flash import writing
from viper.flash.jobs import FlashResult
from viper.image import ownership
from viper.sync import transfer
from viper.sync.transfer import ANSWERS_SIZE, PIECE, Choices, NothingToSave, WaitingFile


@dataclass(frozen=True)
class SyncRequest:
    """Which files are to be brought, and where."""

    host: str  # as the user gave it: name or address, with a port if it is not 80
    image: Path  # flash.json
    root: Path  # the folder that the sources in flash.json are relative to
    stamps: Path  # the folder of the devices' stamps
    build: str  # the build id of the image's firmware
    choices: Choices


Progress = Callable[[int], AbstractContextManager[Callable[[int], None]]]


def sync(request: SyncRequest, progress: Progress) -> FlashResult:
    """Bring a device's files up to date; if more than the site has changed, restart it.

    Args:
        progress: takes how many bytes are to be sent; what it enters takes how many have been.

    Raises:
        UserError: the device is not there, refuses, stops answering, or runs another build.
        KeyboardInterrupt: Ctrl-C.
    """
    began = time.monotonic()
    wanted = writing.load(request.image, request.root).files
    again = f"./scons sync HOST={request.host}"
    device = DeviceHttp(Endpoint(request.host, "/sync", "files", again))
    transport = HttpTransport(device, again)
    boot, outdated = device.status(_status)
    found, plan = transfer.examine(
        transport, wanted, request.stamps, request.choices, again,
        recorded=lambda: ownership.recorded(request.image),
    )  # fmt: skip
    transfer.refuse_other_build(
        found,
        request.build,
        f"HOST={request.host}",
        f"./scons ota HOST={request.host}, or ./scons flash PORT=...",
    )
    for conflict in plan.conflicts:
        console.step("THEIRS", f"{conflict.path}  {conflict.why}")
    transfer.refuse_conflicts(plan.conflicts, again)
    if plan.changes and found.fs == "fat":
        console.step("FAT", "keep the power on: a cut may damage the file system of this device")
    with progress(transfer.bytes_to_send(plan, wanted)) as show:
        transfer.carry_out(
            transport, found, plan, wanted, request.stamps, NothingToSave(), show,
            again=again,
            space=request.choices.space,
        )  # fmt: skip
    if plan.touches_application or outdated:
        device.ask("POST", "/reset")
        device.after_reset(boot, _status)
    device.close()
    return FlashResult(
        mac=found.mac,
        host=request.host,
        files_sent=plan.sent,
        files_deleted=plan.deleted,
        files_moved=plan.moved,
        kept=plan.kept,
        others=tuple(transfer.not_ours(found, wanted)),
        files_s=time.monotonic() - began,
    )


def _status(record: Record) -> tuple[str, bool]:
    return record.word("boot"), record.truth("outdated")


class HttpTransport:
    """A transfer.Transport."""

    def __init__(self, device: DeviceHttp, again: str) -> None:
        self._device = device
        self._again = again

    def manifest(self, known: str) -> list[Record]:
        """See `transfer.Transport`."""
        return self._lines("/manifest", known)

    def look(self, paths: Sequence[str]) -> list[Record]:
        """See `transfer.Transport`."""
        return self._lines("/look", paths)

    def _lines(self, path: str, what: object) -> list[Record]:
        body = json.dumps(what).encode()
        content = self._device.ask("POST", path, body, limit=ANSWERS_SIZE)
        return self._device.understand(lambda: list(schema.read_lines(content)))

    def send(self, files: Iterable[WaitingFile]) -> Iterator[int]:
        """See `transfer.Transport`."""
        for file in files:
            for at in range(0, max(len(file.content), 1), PIECE):
                piece = file.content[at : at + PIECE]
                query = f"at={at}"
                if at + PIECE >= len(file.content):
                    query += f"&sha256={file.sha256}"
                packed = zlib.compress(piece, 9)
                path = f"/files/{file.name}?{query}"
                if len(packed) < len(piece):
                    self._device.ask("PUT", path, packed, {"Content-Encoding": "deflate"})
                else:
                    self._device.ask("PUT", path, piece)
                yield len(piece)

    def copy(self, path: str, name: str, sha256: str) -> None:
        """See `transfer.Transport`."""
        what = {"path": path, "name": name, "sha256": sha256}
        self._device.ask("POST", "/copy", json.dumps(what).encode())

    def forget(self, names: Sequence[str]) -> list[Record]:
        """See `transfer.Transport`."""
        return self._lines("/forget", names)

    def switch(self, name: str) -> list[Record]:
        """See `transfer.Transport`."""
        return self._lines("/switch", name)

    def abandon(self) -> None:
        """Nothing: no file is left open between requests."""
