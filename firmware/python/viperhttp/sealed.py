# SPDX-License-Identifier: MIT
"""Routes for those who have the device's token, which itself never travels.

    api = sealed.Router("/api")

A request and its answer each carry a seal: an HMAC-SHA256 whose key both sides know, over what they
say and over numbers that both sides have chosen, each for one request.

    GET /ota
        401  WWW-Authenticate: HMAC-SHA256 realm="MAC", nonce="N"
    GET /ota  Authorization: HMAC-SHA256 nonce="N", cnonce="C", seal="S"
        200  Authentication-Info: nextnonce="N2", and a body that ends with its seal

A nonce is 32 hex digits, a seal 64. What is sealed, a line each, without an end to the last one:

    request  "request", N, C, method, path as decoded, query, Content-Encoding, SHA-256 of the body
    answer   "answer", N, C, status, N2, SHA-256 of the body before its seal

The key is what viperhttp.device_token keeps. The answer to whatever happens in a handler is made
here, so that no exception handler of the application makes it look like another one.
"""

import binascii
import hashlib
import os
import sys

from viperhttp import device_token, routing
from viperhttp.errors import HTTPException
from viperhttp.hmac_sha256 import are_equal, hmac_sha256
from viperhttp.request import current_request
from viperhttp.responses import JSONResponse, StreamingResponse, response_for

_CHALLENGE = 'HMAC-SHA256 realm="%s", nonce="%s"'
_CREDENTIALS = ["hmac-sha256 nonce=", ", cnonce=", ", seal=", ""]  # what is around the values
_NONCES = 16  # of either table


class Router(routing.Router):
    """A Router that hands on sealed requests alone, and seals the answers."""

    def _around(self, handler):
        return _guarded(handler)


class _Nonces:
    """Numbers that were given out and are each good for one request; the oldest gives way."""

    def __init__(self):
        self._open = [None] * _NONCES
        self._at = 0

    def give(self):
        nonce = binascii.hexlify(os.urandom(16)).decode()
        self._open[self._at] = nonce
        self._at = (self._at + 1) % _NONCES
        return nonce

    def __contains__(self, nonce):
        return nonce in self._open

    def take(self, nonce):
        self._open[self._open.index(nonce)] = None


_offered = _Nonces()  # to anybody
_following = _Nonces()  # with sealed answers: what strangers ask for drives none of them out


def _guarded(handler):
    async def handle(**parameters):
        key = device_token.key()
        if key is None:
            return JSONResponse({"detail": "the device has no token"}, 403)
        request = current_request()
        nonces = _verified(request, key)
        if nonces is None:
            return _challenge()
        return _sealed(await _answer(request, handler, parameters), key, nonces)

    return handle


def _verified(request, key):
    """The numbers of both sides, if a request has the right seal; they are good no longer."""
    parts = request.headers.get("authorization", "").split('"')
    if [part.lower() for part in parts[::2]] != _CREDENTIALS:  # RFC 9110, section 11.1
        return None
    nonce, cnonce, seal = parts[1::2]
    table = _offered if nonce in _offered else _following
    if nonce not in table:
        return None
    target = (request.method, request.path, str(request._call.query, "utf-8"))
    body = (request.headers.get("content-encoding", ""), _hex(hashlib.sha256(request.body())))
    if not are_equal(_seal(key, ("request", nonce, cnonce) + target + body), seal):
        return None
    table.take(nonce)
    return nonce, cnonce


def _challenge():
    fields = {"WWW-Authenticate": _CHALLENGE % (device_token.mac(), _offered.give())}
    return JSONResponse({"detail": "not sealed with the device's token"}, 401, fields)


async def _answer(request, handler, parameters):
    """What a handler answers, a Response whatever happens."""
    try:
        result = handler(**parameters)
        if routing.is_coroutine(result):
            result = await result
    except HTTPException as error:
        return JSONResponse({"detail": error.detail}, error.status_code, error.headers)
    except Exception as error:
        print("viperhttp: %s %s" % (request.method, request.path), file=sys.stderr)
        sys.print_exception(error, sys.stderr)
        return JSONResponse({"detail": "Internal Server Error"}, 500)
    return response_for(result, request.default_status)


def _sealed(response, key, nonces):
    """A response with its seal behind its body."""
    following = _following.give()
    response.headers["Authentication-Info"] = 'nextnonce="%s"' % following
    said = ("answer",) + nonces + (str(response.status_code), following)
    body = _with_seal(_pieces(response), key, said)
    return StreamingResponse(body, response.status_code, response.headers)


def _pieces(response):
    if isinstance(response, StreamingResponse):
        return response.content
    content = response.content
    if not isinstance(content, (str, bytes, bytearray, memoryview)):
        import json

        content = json.dumps(content)
    return (content,) if content else ()


def _with_seal(pieces, key, said):
    digest = hashlib.sha256()
    for piece in pieces:
        if piece is not None:  # which an async generator gives where it awaits
            digest.update(piece)
        yield piece
    yield _seal(key, said + (_hex(digest),))


def _seal(key, said):
    """The HMAC-SHA256 of lines, in hex."""
    return hmac_sha256(key, "\n".join(said).encode())


def _hex(digest):
    return binascii.hexlify(digest.digest()).decode()
