"""An application image brought to a device over the network, into the slot that does not run.

The device's side, and the requests, are in firmware/python/viperhttp/ota.py. The device's flash
says what it has received: an update that broke off anywhere goes on with the chunks that differ.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from viper.base.errors import UserError
from viper.device.endpoints import DeviceHttp, Endpoint
from viper.image import app_image


@dataclass(frozen=True)
class Update:
    """What is to be brought, and where."""

    host: str  # as the user gave it: name or address, with a port if it is not 80
    image: bytes  # app.bin
    build: str  # that the image is of, as viperhttp.version() tells it
    again: str  # what the user types to do the same again


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
    boot: str  # another one after each reset
    running: str  # the label of the partition
    on_probation: bool  # nobody has confirmed what runs
    slot: Mapping[str, Any] | None  # name and size of the slot that can receive
    chunk: int  # bytes


_SAYS = [field.name for field in dataclasses.fields(Status)]


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
    sent = 0
    returned = False
    if status.build != build:
        if status.slot is None:
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


def _send(device: _Device, image: bytes, chunk: int, show: Callable[[int], None]) -> int:
    """Send the chunks that the slot lacks; how many bytes that was."""
    held = device.get(f"/chunks?size={len(image)}").decode().split()
    sent = 0
    for index, (at, piece) in enumerate(_chunks(image, chunk)):
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
        endpoint = Endpoint(request.host, "/ota", "updates", request.again, says=frozenset(_SAYS))
        self._http = DeviceHttp(endpoint)

    def status(self) -> Status:
        return _status(self._http.status())

    def after_reset(self, before: Status) -> Status:
        return _status(self._http.after_reset(before.boot))

    def get(self, path: str) -> bytes:
        return self._http.ask("GET", path)

    def put(self, path: str, body: bytes) -> None:
        self._http.ask("PUT", path, body)

    def post(self, path: str) -> None:
        self._http.ask("POST", path)


def _status(record: Mapping[str, Any]) -> Status:
    return Status(**{name: record[name] for name in _SAYS})
