# SPDX-License-Identifier: MIT
"""An application image brought to a device over the network, into the slot that does not run.

The device's side, and the requests, are in firmware/python/viperhttp/ota.py. The device's flash
says what it has received: an update that broke off anywhere goes on with the chunks that differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from viper.base.errors import UserError
from viper.base.printable import excerpt
from viper.base.schema import Record
from viper.device.endpoints import DeviceHttp, Endpoint
from viper.image import app_image, partition_table
from viper.image.boot_order import BootOrder
from viper.image.partition_table import PartitionTable

_DIGEST_DIGITS = 64  # of a chunk's SHA-256


@dataclass(frozen=True)
class Update:
    """What is to be brought, and where."""

    host: str  # as the user gave it: name or address, with a port if it is not 80
    image: bytes  # app.bin
    build: str  # that the image is of, as viperhttp.version() tells it
    again: str  # what the user types to do the same again
    in_clear: bool = False  # whether firmware that wants the token itself is given it


@dataclass(frozen=True)
class Result:
    """What an update did."""

    build: str  # the build that runs now
    slot: str  # where it runs
    sent: int  # bytes of chunks that the device lacked
    returned_to_factory: bool  # whether the device had to boot `factory` to receive


@dataclass(frozen=True)
class Status:
    """What a device says of itself."""

    build: str
    boot: str  # another word after each reset
    running: str  # the label of the partition
    on_probation: bool  # nobody has confirmed what runs
    can_receive: bool  # whether a slot does not run
    chunk: int  # bytes


def require_slot(table: PartitionTable, board: str, again: str) -> None:
    """See that a board has a slot for a new application besides the one that runs.

    Args:
        table: the board's.
        board: its name.
        again: how the user flashes it by cable.

    Raises:
        UserError: it has none.
    """
    applications = sum(entry.type == partition_table.APP for entry in table)
    if not BootOrder(table).slots or applications < 2:
        raise UserError(
            f"{board} has one slot, which the running application is in: there is none to update",
            f"{again}, or add otadata and ota_0 to {table.source}",
        )


def update(request: Update, show: Callable[[int], None]) -> Result:
    """Bring a device to run an image, and wait until it does.

    Args:
        show: takes how many of the image's bytes are there.

    Raises:
        UserError: the device is not there, refuses, stops answering, or has gone back to what it
            ran before because the image does not work.
        KeyboardInterrupt: Ctrl-C.
    """
    try:
        app_image.parse(request.image)
    except ValueError as error:
        raise UserError(f"the image cannot be sent: {error}", "./scons image") from None
    build = request.build
    device = _Device(request)
    status = device.status()
    refuse_other_overlay(request.host, build, status.build)
    sent = 0
    returned = False
    if status.build != build:
        if not status.can_receive:
            device.post("/factory")
            status = device.after_reset(status)
            returned = True
        before = status
        sent = _send(device, request.image, status.chunk, show)
        digest = hashlib.sha256(request.image).hexdigest()
        device.post(f"/boot?size={len(request.image)}&sha256={digest}")
        status = device.after_reset(before)
        if status.build != build:
            raise UserError(
                f"{request.host}: the device does not run the new image (build {build}): it has "
                f"gone back to build {status.build} in {status.running}",
                "see what it prints; for a virtual board: ./scons board-log",
            )
    if status.on_probation:
        device.post("/confirm")
    return Result(build, status.running, sent, returned)


def refuse_other_overlay(host: str, build: str, running: str) -> None:
    """See that an image for an emulator goes to one, and a board's own to a board.

    Args:
        build: the build id of the image.
        running: that of what the device runs.

    Raises:
        UserError: they are of different kinds.
    """
    ours, theirs = map(app_image.overlay_of_build, (build, running))
    if ours and ours != theirs:
        raise UserError(
            f"{host} is no such emulator, and this image is for one (build {build}): a board would "
            "have no network with it",
            f"./scons ota HOST={host} sends the board's own",
        )
    if ours != theirs:
        raise UserError(
            f"{host} is an emulator (it runs build {running}), and this image is without the "
            f"overlay '{theirs}': it has no network there",
            f"./scons ota PORT={theirs} sends one with it",
        )


def _send(device: _Device, image: bytes, chunk: int, show: Callable[[int], None]) -> int:
    """Send the chunks that the slot lacks; how many bytes that was."""
    pieces = list(_chunks(image, chunk))
    held = device.digests(len(image), len(pieces))
    sent = 0
    for index, (at, piece) in enumerate(pieces):
        digest = hashlib.sha256(piece).hexdigest()
        if index >= len(held) or held[index] != digest:
            device.put(f"/chunks/{index}?sha256={digest}", piece)
            sent += len(piece)
        show(at + len(piece))
    return sent


def _chunks(image: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    for at in range(0, len(image), size):
        yield at, image[at : at + size]


class _Device:
    """A device's endpoint for updates."""

    def __init__(self, request: Update) -> None:
        endpoint = Endpoint(request.host, "/ota", "updates", request.again, request.in_clear)
        self._http = DeviceHttp(endpoint)

    def status(self) -> Status:
        return self._http.status(_status)

    def after_reset(self, before: Status) -> Status:
        return self._http.after_reset(before.boot, _status)

    def digests(self, size: int, count: int) -> list[str]:
        """Those of the slot's chunks."""
        limit = count * (_DIGEST_DIGITS + 1)
        content = self._http.ask("GET", f"/chunks?size={size}", limit=limit)
        return content.decode(errors="replace").split()

    def put(self, path: str, body: bytes) -> None:
        self._http.ask("PUT", path, body)

    def post(self, path: str) -> None:
        self._http.ask("POST", path)


def _status(record: Record) -> Status:
    if not record.is_null("slot"):
        record.record("slot")
    return Status(
        build=record.word("build"),
        boot=record.word("boot"),
        running=excerpt(record.text("running", 16)),
        on_probation=record.truth("on_probation"),
        can_receive=not record.is_null("slot"),
        chunk=record.number("chunk", 4096, 1 << 20),
    )
