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

from viper.base import schema
from viper.base.schema import Record
from viper.device.endpoints import DeviceHttp, Endpoint
from viper.flash import writing
from viper.flash.jobs import FlashResult
from viper.sync import transfer
from viper.sync.transfer import MANIFEST_SIZE, PIECE, NothingToSave, StagedFile


@dataclass(frozen=True)
class SyncRequest:
    """Which files are to be brought, and where."""

    host: str  # as the user gave it: name or address, with a port if it is not 80
    image: Path  # flash.json
    root: Path  # the folder that the sources in flash.json are relative to
    stamps: Path  # the folder of the devices' stamps
    build: str  # the build id of the image's firmware
    delete_extras: bool  # remove what the image does not have


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
    manifest, plan = transfer.examine(
        transport, wanted, request.stamps, request.delete_extras, again
    )
    transfer.refuse_other_build(
        manifest,
        request.build,
        f"HOST={request.host}",
        f"./scons ota HOST={request.host}, or ./scons flash PORT=...",
    )
    with progress(transfer.bytes_to_send(plan, wanted)) as show:
        transfer.carry_out(transport, manifest, plan, wanted, request.stamps, NothingToSave(), show)
    if plan.touches_application or outdated:
        device.ask("POST", "/reset")
        device.after_reset(boot, _status)
    device.close()
    return FlashResult(
        mac=manifest.mac,
        host=request.host,
        files_sent=plan.sent,
        files_deleted=plan.deleted,
        files_s=time.monotonic() - began,
    )


def _status(record: Record) -> tuple[str, bool]:
    return record.word("boot"), record.truth("outdated")


class HttpTransport:
    """A transfer.Transport."""

    def __init__(self, device: DeviceHttp, again: str) -> None:
        self._device = device
        self._again = again

    def manifest(self, scope: Sequence[str]) -> list[Record]:
        body = json.dumps(scope).encode()
        content = self._device.ask("POST", "/manifest", body, limit=MANIFEST_SIZE)
        return self._device.understand(lambda: list(schema.read_lines(content)))

    def send(self, files: Iterable[StagedFile]) -> Iterator[int]:
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

    def commit(self, removed: Sequence[str], placed: Sequence[str]) -> None:
        body = {"removed": list(removed), "placed": list(placed)}
        self._device.ask("POST", "/commit", json.dumps(body).encode())

    def finish(self) -> None:
        self._device.ask("POST", "/finish")

    def abandon(self) -> None:
        """Nothing: no file is left open between requests."""
