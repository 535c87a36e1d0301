"""Requests to a device's own endpoints, with its token: those that change it over the network.

The device says who it is to those without a token (firmware/python/viperhttp/device_token.py), by
which the right one is found.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPMessage
from typing import Any
from urllib.parse import urlsplit

from viper.base import interrupt
from viper.base.errors import UserError
from viper.device import network_token

_ANSWER_S = 20.0  # a chip's flash takes a while to erase
_RETRY_S = 0.1
_BUSY_S = 1.0  # before a device whose Python is busy is asked again
_START_S = 120.0  # from a reset to the first answer, a new image's probation included
_NEXT_STEPS = {
    401: "./scons token PORT=... gives it a new one, over its serial port",
    403: "./scons token PORT=... gives it one, over its serial port",
    507: "delete files there (mpremote connect PORT rm ...), then do this again",
}
_MAC = re.compile('realm="([0-9a-f]{12})"')


@dataclass(frozen=True)
class Endpoint:
    """Where requests go, and how errors tell of it."""

    host: str  # as the user gave it: name or address, with a port if it is not 80
    path: str  # what all of its routes begin with
    takes: str  # "updates", as in "it takes no updates over the network"
    again: str  # what the user types to do the same again
    says: frozenset[str]  # what it tells of itself, at least; "boot" is one of it


class _Busy(HTTPException):
    """The device's server answers, and its Python does not."""


class DeviceHttp:
    """A connection to an endpoint, made anew when it is lost."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Connects to nothing yet.

        Raises:
            UserError: what the user gave is no host.
        """
        parts = urlsplit(f"//{endpoint.host}")
        try:
            number = parts.port or 80
        except ValueError:
            number = None
        if not parts.hostname or number is None or parts.path:
            raise UserError(
                f"HOST={endpoint.host} is no host", "give HOST=192.168.0.7, or with :PORT"
            )
        self._address = (parts.hostname, number)
        self._endpoint = endpoint
        self._connection: HTTPConnection | None = None
        self._authorization = ""

    def status(self) -> dict[str, Any]:
        """What the endpoint says of itself; "boot" is another one after each reset."""
        try:
            return self._status(self.ask("GET", ""))
        except HTTPException as error:
            raise self._silence(error) from None

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        fields: dict[str, str] | None = None,
    ) -> bytes:
        """One request; the body of its answer.

        Args:
            fields: header fields.

        Raises:
            UserError: the device does not answer, or refuses.
            KeyboardInterrupt: Ctrl-C.
        """
        if interrupt.requested():
            raise KeyboardInterrupt
        deadline = time.monotonic() + _ANSWER_S
        try:
            while True:
                try:
                    return self._ask(method, path, body, fields or {})
                except _Busy:
                    if time.monotonic() > deadline:
                        raise
                    if interrupt.requested(_BUSY_S):
                        raise KeyboardInterrupt from None
        except (OSError, HTTPException) as error:
            raise self._silence(error) from None

    def after_reset(self, boot: str) -> dict[str, Any]:
        """Wait for a device that is about to reset; what it says of itself then.

        Args:
            boot: what it said before.
        """
        deadline = time.monotonic() + _START_S
        self.close()
        while True:
            try:
                status = self._status(self._ask("GET", "", None, {}))
                if status["boot"] != boot:
                    return status
            except (OSError, HTTPException):
                self.close()
            if time.monotonic() > deadline:
                raise UserError(
                    f"{self._endpoint.host} does not answer {_START_S:.0f} s after its reset",
                    "reset it, and see what it prints; an image that nobody has confirmed is given "
                    "up then",
                )
            if interrupt.requested(_RETRY_S):
                raise KeyboardInterrupt

    def _status(self, content: bytes) -> dict[str, Any]:
        """Read what an endpoint says of itself; HTTPException for anything else."""
        try:
            record = json.loads(content)
        except ValueError:
            record = None
        if not isinstance(record, dict) or not self._endpoint.says <= record.keys():
            raise HTTPException("its answer is of another kind")
        return record

    def close(self) -> None:
        """Close the connection; the next request makes another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _silence(self, error: Exception) -> UserError:
        return UserError(
            f"{self._endpoint.host} does not answer: {error or type(error).__name__}",
            f"{self._endpoint.again} again: it goes on where it stopped",
        )

    def _ask(self, method: str, path: str, body: bytes | None, fields: dict[str, str]) -> bytes:
        status, answered, content = self._exchange(method, path, body, fields)
        if status == HTTPStatus.UNAUTHORIZED and not self._authorization:
            self._authorize(answered.get("WWW-Authenticate", ""))
            status, answered, content = self._exchange(method, path, body, fields)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise _Busy("its Python is busy")
        if status >= 300:
            raise self._refusal(status, content)
        return content

    def _exchange(
        self, method: str, path: str, body: bytes | None, fields: dict[str, str]
    ) -> tuple[int, HTTPMessage, bytes]:
        if self._connection is None:
            self._connection = HTTPConnection(*self._address, timeout=_ANSWER_S)
        if self._authorization:
            fields = {**fields, "Authorization": self._authorization}
        try:
            self._connection.request(method, self._endpoint.path + path, body, fields)
            response = self._connection.getresponse()
            return response.status, response.headers, response.read()
        except (OSError, HTTPException):
            self.close()
            raise

    def _authorize(self, challenge: str) -> None:
        found = _MAC.search(challenge)
        token = network_token.load(found[1]) if found else None
        if token is None:
            raise UserError(
                f"{self._endpoint.host}: this user has no token for the device"
                + (f" {found[1]}" if found else ""),
                "./scons token PORT=... gives it one, over its serial port",
            )
        self._authorization = f"Bearer {token}"

    def _refusal(self, status: int, content: bytes) -> UserError:
        endpoint = self._endpoint
        if status == HTTPStatus.NOT_FOUND:
            return UserError(
                f"{endpoint.host} takes no {endpoint.takes} over the network",
                "./scons flash PORT=... gives it an application that does",
            )
        try:
            detail = str(json.loads(content)["detail"])
        except (ValueError, KeyError, TypeError):
            detail = f"status {status}"
        next_step = _NEXT_STEPS.get(status, "./scons flash PORT=... writes it over the serial port")
        return UserError(f"{endpoint.host} refuses the {endpoint.takes}: {detail}", next_step)
