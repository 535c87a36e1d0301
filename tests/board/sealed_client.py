# SPDX-License-Identifier: MIT
"""A client of a device's sealed endpoints that is not viper's: by the page of the form alone."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Answer:
    """What a device has answered; `seal` is "" if the answer has none."""

    status_code: int
    headers: httpx.Headers
    content: bytes
    seal: str

    def json(self) -> Any:
        return json.loads(self.content)


class SealedClient:
    """Sends requests that are sealed with a token; a context.

    Attributes:
        sent: the last request, for who would send it again.
    """

    def __init__(self, address: str, token: str) -> None:
        self._http = httpx.Client(base_url=address, timeout=60)
        self._key = hashlib.sha256(token.encode()).digest()
        self.sent: httpx.Request

    def __enter__(self) -> SealedClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, target: str) -> Answer:
        return self.ask("GET", target)

    def post(self, target: str, content: bytes = b"") -> Answer:
        return self.ask("POST", target, content)

    def put(self, target: str, content: bytes) -> Answer:
        return self.ask("PUT", target, content)

    def ask(self, method: str, target: str, content: bytes = b"", /, **altered: Any) -> Answer:
        """Ask with a number that was asked for; `altered` is what is sent instead of what was
        sealed: method, target, content, headers, a scheme, and a nonce of one's own."""
        nonce = altered.pop("nonce", None) or self.challenge(target)
        cnonce = secrets.token_hex(16)
        path, _, query = target.partition("?")
        digest = hashlib.sha256(content).hexdigest()
        seal = self._seal("request", nonce, cnonce, method, path, query, "", digest)
        scheme = altered.pop("scheme", "HMAC-SHA256")
        credentials = f'{scheme} nonce="{nonce}", cnonce="{cnonce}", seal="{seal}"'
        self.sent = self._http.build_request(
            altered.get("method", method),
            altered.get("target", target),
            content=altered.get("content", content),
            headers={"Authorization": credentials, **altered.get("headers", {})},
        )
        answer = self._http.send(self.sent)
        following = answer.headers.get("Authentication-Info", "")[len('nextnonce="') : -1]
        if not following:
            return Answer(answer.status_code, answer.headers, answer.content, "")
        body, theirs = answer.content[:-64], answer.content[-64:].decode()
        said = str(answer.status_code), following, hashlib.sha256(body).hexdigest()
        assert theirs == self._seal("answer", nonce, cnonce, *said)
        return Answer(answer.status_code, answer.headers, body, theirs)

    def challenge(self, target: str) -> str:
        """A number that the device gives out to anybody."""
        answer = self._http.get(f"/{target.split('/')[1].partition('?')[0]}")
        found = re.search('nonce="([0-9a-f]{32})"', answer.headers.get("WWW-Authenticate", ""))
        return found[1] if found else ""

    def again(self) -> Answer:
        """Send the last request once more, as it was."""
        answer = self._http.send(self.sent)
        return Answer(answer.status_code, answer.headers, answer.content, "")

    def _seal(self, *said: str) -> str:
        return hmac.new(self._key, "\n".join(said).encode(), hashlib.sha256).hexdigest()
