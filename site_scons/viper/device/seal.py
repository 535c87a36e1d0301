# SPDX-License-Identifier: MIT
"""Requests and answers with seals in place of a token.

The device's side, and the form of a seal, are in firmware/python/viperhttp/sealed.py.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from http.client import HTTPMessage
from urllib.parse import unquote

from viper.base.mac import Mac

SIZE = 64  # bytes of a seal, behind the body of an answer

_NONCE_SIZE = 16
_CHALLENGE = re.compile('HMAC-SHA256 realm="([^"]*)", nonce="([0-9a-f]{32})"')
_CLEAR = re.compile('Bearer realm="([^"]*)"')  # of firmware that wants the token itself
_FOLLOWING = re.compile('nextnonce="([0-9a-f]{32})"')


class Broken(Exception):
    """An answer that was altered on the way, or is not that of the device."""


@dataclass(frozen=True)
class Challenge:
    """What a device asks for."""

    mac: Mac
    nonce: str | None  # None: the token itself, in clear


def challenge(fields: HTTPMessage) -> Challenge | None:
    """What an answer asks for; None if nothing that is known here."""
    text = fields.get("WWW-Authenticate", "")
    try:
        if found := _CHALLENGE.fullmatch(text):
            return Challenge(Mac(found[1]), found[2])
        found = _CLEAR.fullmatch(text)
        return Challenge(Mac(found[1]), None) if found else None
    except ValueError:
        return None


class Sealer:
    """What seals requests to one device, and opens its answers, one after the other."""

    def __init__(self, token: str, nonce: str) -> None:
        """Begin with the number of a challenge."""
        self._key = hashlib.sha256(token.encode()).digest()
        self._nonce = nonce
        self._ours = ""

    def credentials(self, method: str, target: str, encoding: str, body: bytes) -> str:
        """The field Authorization of a request.

        Args:
            target: path and query.
            encoding: the field Content-Encoding, "" without one.
        """
        self._ours = secrets.token_hex(_NONCE_SIZE)
        path, _, query = target.partition("?")
        seal = self._seal("request", method, unquote(path), query, encoding, _digest(body))
        return f'HMAC-SHA256 nonce="{self._nonce}", cnonce="{self._ours}", seal="{seal}"'

    def open(self, status: int, fields: HTTPMessage, content: bytes) -> bytes:
        """The body of the answer to the request that was sealed last.

        Raises:
            Broken: its seal is missing, or is not that of this answer.
        """
        found = _FOLLOWING.fullmatch(fields.get("Authentication-Info", ""))
        body, seal = content[:-SIZE], content[-SIZE:]
        if found is None:
            raise Broken
        right = self._seal("answer", str(status), found[1], _digest(body))
        if not hmac.compare_digest(right.encode(), seal):
            raise Broken
        self._nonce = found[1]
        return body

    def _seal(self, what: str, *said: str) -> str:
        text = "\n".join((what, self._nonce, self._ours, *said))
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def is_sealed(fields: HTTPMessage) -> bool:
    """Whether an answer has a seal; what the server says by itself has none."""
    return "Authentication-Info" in fields


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
