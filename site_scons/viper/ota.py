"""An application image brought to a device over the network, into the slot that does not run.

The device's side, and the requests, are in firmware/python/viperhttp/ota.py. The device's flash
says what it has received: an update that broke off anywhere goes on with the chunks that differ.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPMessage
from typing import Any
from urllib.parse import urlsplit

from viper import app_image, device_token, interrupt
from viper.errors import UserError

_ANSWER_S = 20.0  # a chip's flash takes a while to erase
_RETRY_S = 0.1
_BUSY_S = 1.0  # before a device whose Python is busy is asked again
_START_S = 120.0  # from a reset to the first answer, a new image's probation included
_AFTER_REFUSAL = {
    401: "./scons token PORT=... gives it a new one, over its serial port",
    403: "./scons token PORT=... gives it one, over its serial port",
    404: "its firmware takes no updates over the network: ./scons flash PORT=...",
}
_MAC = re.compile('realm="([0-9a-f]{12})"')


@dataclass(frozen=True)
class Update:
    """What is to be brought, and where."""

    host: str  # as the user gave it: name or address, with a port if it is not 80
    image: bytes  # app.bin
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
        description = app_image.describe(app_image.parse(request.image))
    except ValueError as error:
        raise UserError(f"the image cannot be sent: {error}", "./scons image") from None
    if description is None:
        raise UserError("the image does not say what it is", "./scons image")
    build = description.version
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
            device.ask("PUT", f"/chunks/{index}?sha256={digest}", piece)
            sent += len(piece)
        show(at + len(piece))
    return sent


def _chunks(image: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    for at in range(0, len(image), size):
        yield at, image[at : at + size]


class _Busy(HTTPException):
    """The device's server answers, and its Python does not."""


class _Device:
    """The endpoint of one device."""

    def __init__(self, request: Update) -> None:
        parts = urlsplit(f"//{request.host}")
        try:
            number = parts.port or 80
        except ValueError:
            number = None
        if not parts.hostname or number is None or parts.path:
            raise UserError(
                f"HOST={request.host} is no host", "give HOST=192.168.0.7, or with :PORT"
            )
        self._address = (parts.hostname, number)
        self._request = request
        self._connection: HTTPConnection | None = None
        self._authorization = ""

    def status(self) -> Status:
        return _status(self.get(""))

    def get(self, path: str) -> bytes:
        return self.ask("GET", path)

    def post(self, path: str) -> None:
        self.ask("POST", path)

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """One request; the body of its answer.

        Raises:
            UserError: the device does not answer, or refuses.
        """
        if interrupt.requested():
            raise KeyboardInterrupt
        deadline = time.monotonic() + _ANSWER_S
        try:
            while True:
                try:
                    return self._ask(method, path, body)
                except _Busy:
                    if time.monotonic() > deadline:
                        raise
                    if interrupt.requested(_BUSY_S):
                        raise KeyboardInterrupt from None
        except (OSError, HTTPException) as error:
            raise UserError(
                f"{self._request.host} does not answer: {error or type(error).__name__}",
                f"{self._request.again} again: it goes on where it stopped",
            ) from None

    def after_reset(self, before: Status) -> Status:
        """Wait for a device that is about to reset; what it says then."""
        deadline = time.monotonic() + _START_S
        self._close()
        while True:
            try:
                status = _status(self._ask("GET", "", None))
                if status.boot != before.boot:
                    return status
            except (OSError, HTTPException):
                self._close()
            if time.monotonic() > deadline:
                raise UserError(
                    f"{self._request.host} does not answer {_START_S:.0f} s after its reset",
                    "reset it: an image that nobody has confirmed is given up then",
                )
            if interrupt.requested(_RETRY_S):
                raise KeyboardInterrupt

    def _ask(self, method: str, path: str, body: bytes | None) -> bytes:
        status, fields, content = self._exchange(method, path, body)
        if status == HTTPStatus.UNAUTHORIZED and not self._authorization:
            self._authorize(fields.get("WWW-Authenticate", ""))
            status, fields, content = self._exchange(method, path, body)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise _Busy("its Python is busy")
        if status >= 300:
            raise self._refusal(status, content)
        return content

    def _exchange(
        self, method: str, path: str, body: bytes | None
    ) -> tuple[int, HTTPMessage, bytes]:
        if self._connection is None:
            self._connection = HTTPConnection(*self._address, timeout=_ANSWER_S)
        headers = {"Authorization": self._authorization} if self._authorization else {}
        try:
            self._connection.request(method, f"/ota{path}", body, headers)
            response = self._connection.getresponse()
            return response.status, response.headers, response.read()
        except (OSError, HTTPException):
            self._close()
            raise

    def _authorize(self, challenge: str) -> None:
        found = _MAC.search(challenge)
        token = device_token.load(found[1]) if found else None
        if token is None:
            raise UserError(
                f"{self._request.host}: this user has no token for the device"
                + (f" {found[1]}" if found else ""),
                "./scons token PORT=... gives it one, over its serial port",
            )
        self._authorization = f"Bearer {token}"

    def _refusal(self, status: int, content: bytes) -> UserError:
        try:
            detail = str(json.loads(content)["detail"])
        except (ValueError, KeyError, TypeError):
            detail = f"status {status}"
        next_step = _AFTER_REFUSAL.get(
            status, "./scons flash PORT=... writes it over the serial port"
        )
        return UserError(f"{self._request.host} refuses the update: {detail}", next_step)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _status(content: bytes) -> Status:
    """Read what GET /ota answers; HTTPException for anything else."""
    try:
        record = json.loads(content)
        return Status(**{field.name: record[field.name] for field in dataclasses.fields(Status)})
    except (ValueError, KeyError, TypeError):
        raise HTTPException("its answer is of another kind") from None
