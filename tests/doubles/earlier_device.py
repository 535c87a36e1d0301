# SPDX-License-Identifier: MIT
"""A device with firmware from before the seals, which takes an update and runs that.

What it answers was recorded with version 0.1.0 on the virtual board, whose requests carry the token
itself. A reset takes it a moment, in which the firmware that is to go answers once more.
"""

from __future__ import annotations

import json
import socket

from doubles.hostile_device import Answer, HostileDevice, challenge, http, sealed

MAC = "023aa5ce7cee"
_REFUSAL = b'{"detail":"not the device\'s token"}'
_STATUS = {
    "on_probation": False, "slot": {"name": "ota_0", "size": 3145728}, "chunk": 16384,
    "boot": "2158b1aac453d2c9", "running": "factory", "build": "d341eeb22f800e06",
}  # fmt: skip
_NO_DIGESTS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
)


class EarlierDevice(HostileDevice):
    """The device.

    Attributes:
        confirmed: whether its new firmware was, by a sealed request.
        in_clear_to_new: how many requests gave the new firmware the token.
    """

    def __init__(self, token: str, new_build: str) -> None:
        super().__init__(self._answer)
        self._token = token
        self._new = _STATUS | {"build": new_build, "boot": "new", "running": "ota_0"}
        self._resetting = self._is_new = False
        self.confirmed = False
        self.in_clear_to_new = 0

    def _answer(self, head: bytes) -> Answer:
        is_known = f"Authorization: Bearer {self._token}".encode() in head
        if self._is_new:
            self.in_clear_to_new += is_known
            return self._answer_sealed(head)
        if self._resetting and is_known:
            self._is_new = True
            return socket.socket.close
        if not is_known:
            field = f'WWW-Authenticate: Bearer realm="{MAC}"\r\n'
            return http(_REFUSAL, "401 Unauthorized", field)
        if head.startswith(b"GET /ota/chunks?"):
            return _NO_DIGESTS
        if head.startswith(b"PUT /ota/chunks/"):
            return b"HTTP/1.1 204 No Content\r\n\r\n"
        if head.startswith(b"POST /ota/boot?"):
            self._resetting = True
            return http(b"", "202 Accepted")
        return http(json.dumps(_STATUS).encode())

    def _answer_sealed(self, head: bytes) -> Answer:
        if b"seal=" not in head:
            return challenge(MAC)
        if head.startswith(b"POST /ota/confirm "):
            self.confirmed = True
            return sealed(head, self._token, b"")
        says = {**self._new, "on_probation": not self.confirmed}
        return sealed(head, self._token, json.dumps(says).encode())
