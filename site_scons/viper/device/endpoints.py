# SPDX-License-Identifier: MIT
"""Requests to a device's own endpoints: those that change it over the network.

They are sealed with the device's token, and so are its answers (viper.device.seal). The device says
who it is to those without a seal, by which the right token is found.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import TypeVar
from urllib.parse import urlsplit

from viper.base import console, interrupt, schema
from viper.base.errors import UserError
from viper.base.printable import excerpt
from viper.base.schema import Nonsense, Record
from viper.device import network_token, seal
from viper.device.http_exchange import MISBEHAVIOUR, Answer, HttpExchange
from viper.device.seal import Broken, Sealer

T = TypeVar("T")

_ANSWER_S = 20.0  # a chip's flash takes a while to erase
_ANSWER_SIZE = 4096  # bytes, if nothing else is said
_RETRY_S = 0.1
_BUSY_S = 1.0  # before a device whose Python is busy is asked again
_START_S = 120.0  # from a reset to the first answer, a new image's probation included
_NEW_TOKEN = "./scons token PORT=... gives it one, over its serial port"
_NEXT_STEPS = {
    401: "./scons token PORT=... gives it a new one, over its serial port",
    403: _NEW_TOKEN,
    507: "delete files there (mpremote connect PORT rm ...), then do this again",
}


@dataclass(frozen=True)
class Endpoint:
    """Where requests go, and how errors tell of it."""

    host: str  # as the user gave it: name or address, with a port if it is not 80
    path: str  # what all of its routes begin with
    takes: str  # "updates", as in "it takes no updates over the network"
    again: str  # what the user types to do the same again
    in_clear: bool = False  # whether firmware that wants the token itself is given it


class _Busy(HTTPException):
    """The device's server answers, and its Python does not."""


class DeviceHttp:
    """A connection to an endpoint, made anew when it is lost."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Connects to nothing yet.

        Raises:
            UserError: what the user gave is no host.
        """
        self._http = HttpExchange(*_address(endpoint.host))
        self._endpoint = endpoint
        self._sealer: Sealer | None = None
        self._bearer = ""  # the token itself

    def status(self, read: Callable[[Record], T]) -> T:
        """What the endpoint says of itself.

        Args:
            read: takes it apart; what it raises of Nonsense is told as an error.
        """
        return self.understand(lambda: read(schema.read(self.ask("GET", ""))))

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        fields: dict[str, str] | None = None,
        limit: int = _ANSWER_SIZE,
    ) -> bytes:
        """One request; the body of its answer.

        Args:
            fields: header fields.
            limit: bytes of the answer.

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
                    return self._ask(method, path, body, fields or {}, limit)
                except _Busy:
                    if time.monotonic() > deadline:
                        raise
                    if interrupt.requested(_BUSY_S):
                        raise KeyboardInterrupt from None
        except MISBEHAVIOUR as error:
            raise self._silence(error) from None

    def understand(self, read: Callable[[], T]) -> T:
        """What `read` makes of an answer.

        Raises:
            UserError: it has raised Nonsense.
        """
        try:
            return read()
        except Nonsense as why:
            raise UserError(
                f"the answer of {self._endpoint.host} cannot be understood: {why}",
                "is it a device of this project? ./scons flash PORT=... makes it one",
            ) from None

    def after_reset(self, boot: str, read: Callable[[Record], T]) -> T:
        """Wait for a device that is about to reset; what it says of itself then.

        Args:
            boot: the word that it said before, and will not say again.
            read: as for `status`.
        """
        deadline = time.monotonic() + _START_S
        self.close()
        while True:
            self._sealer, self._bearer = None, ""  # what runs now may ask for other credentials
            try:
                says = schema.read(self._ask("GET", "", None, {}, _ANSWER_SIZE))
                if says.word("boot") != boot:
                    break
            except MISBEHAVIOUR:
                self.close()
            if time.monotonic() > deadline:
                raise UserError(
                    f"{self._endpoint.host} does not answer {_START_S:.0f} s after its reset",
                    "reset it, and see what it prints; an image that nobody has confirmed is given "
                    "up then",
                )
            if interrupt.requested(_RETRY_S):
                raise KeyboardInterrupt
        return self.understand(lambda: read(says))

    def close(self) -> None:
        """Close the connection; the next request makes another one."""
        self._http.close()

    def _silence(self, error: Exception) -> UserError:
        return UserError(
            f"{self._endpoint.host} does not answer: {excerpt(str(error)) or type(error).__name__}",
            f"{self._endpoint.again} again: it goes on where it stopped",
        )

    def _ask(
        self, method: str, path: str, body: bytes | None, fields: dict[str, str], limit: int
    ) -> bytes:
        answer = self._exchange(method, path, body, fields, limit)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            # It is the first request; or the device has forgotten its number, as after a reset.
            self._authorize(answer)
            answer = self._exchange(method, path, body, fields, limit)
        content = self._opened(answer)
        if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise _Busy("its Python is busy")
        if answer.status >= 300:
            raise self._refusal(answer.status, content)
        return content

    def _exchange(
        self, method: str, path: str, body: bytes | None, fields: dict[str, str], limit: int
    ) -> Answer:
        target = self._endpoint.path + path
        if self._sealer is not None:
            encoding = fields.get("Content-Encoding", "")
            credentials = self._sealer.credentials(method, target, encoding, body or b"")
            fields = {**fields, "Authorization": credentials}
        elif self._bearer:
            fields = {**fields, "Authorization": f"Bearer {self._bearer}"}
        return self._http.ask(
            method, target, body, fields, limit=limit + seal.SIZE, within_s=_ANSWER_S
        )

    def _opened(self, answer: Answer) -> bytes:
        """The body of an answer, once its seal is found right."""
        is_refusal = answer.status >= 300 and not seal.is_sealed(answer.fields)
        if is_refusal or self._bearer:
            return answer.body  # what is said without a seal is shown, and changes nothing
        try:
            if self._sealer is None:
                raise Broken
            return self._sealer.open(answer.status, answer.fields, answer.body)
        except Broken:
            self.close()
            raise UserError(
                f"{self._endpoint.host}: the answer is not sealed with the device's token: it was "
                "altered on the way, or another device has answered",
                "is HOST the device that is meant?",
            ) from None

    def _authorize(self, answer: Answer) -> None:
        """Have what an answer asks for."""
        host = self._endpoint.host
        asked = seal.challenge(answer.fields)
        if asked is None:
            raise UserError(
                f"{host} asks for credentials of another kind",
                "is HOST the device that is meant? its application may guard "
                f"{self._endpoint.path} itself",
            )
        token = network_token.load(asked.mac)
        if token is None:
            raise UserError(
                f"{host}: this user has no token for the device {asked.mac}", _NEW_TOKEN
            )
        if asked.nonce is not None:
            self._sealer, self._bearer = Sealer(token, asked.nonce), ""
            return
        if not self._endpoint.in_clear:
            raise UserError(
                f"{host} has firmware that wants the token in clear, where who listens can take it",
                f"./scons ota HOST={host} TOKEN=plain sends it, this once; then ./scons token "
                "PORT=... gives the device a new one",
            )
        if not self._bearer:
            console.step("TOKEN", f"{host}  sent in clear: who has listened may change the device")
        self._sealer, self._bearer = None, token

    def _refusal(self, status: int, content: bytes) -> UserError:
        endpoint = self._endpoint
        if status == HTTPStatus.NOT_FOUND:
            return UserError(
                f"{endpoint.host} takes no {endpoint.takes} over the network",
                "./scons flash PORT=... gives it an application that does",
            )
        try:
            detail = excerpt(schema.read(content).text("detail"))
        except Nonsense:
            detail = f"status {status}"
        next_step = _NEXT_STEPS.get(status, "./scons flash PORT=... writes it over the serial port")
        return UserError(f"{endpoint.host} refuses the {endpoint.takes}: {detail}", next_step)


def _address(host: str) -> tuple[str, int]:
    """Name and port of a host as the user gave it."""
    try:
        parts = urlsplit(f"//{host}")
        number = parts.port or 80
    except ValueError:
        parts, number = urlsplit(""), 0
    if not parts.hostname or parts.path:
        raise UserError(f"HOST={host} is no host", "give HOST=192.168.0.7, or with :PORT")
    return parts.hostname, number
