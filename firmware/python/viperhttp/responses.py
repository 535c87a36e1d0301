# SPDX-License-Identifier: MIT
"""Responses that are more than a value."""

import asyncio
import errno
import os

import _viperhttp

YIELD_EVERY = 16384  # bytes of a stream after which other tasks have their turn

_FOLDER = 0x4000  # in the mode that os.stat gives
_RESERVED = ("content-length", "transfer-encoding", "connection")


class Response:
    """A status, header fields and content: str, bytes, or a value that becomes JSON.

    `headers` can be changed until the response is sent; a value may be a list, for fields that
    are repeated. ValueError for a status that HTTP does not know, a name or value that a header
    cannot hold, and for Content-Length, Transfer-Encoding and Connection, which the server sets.
    """

    media_type = None

    def __init__(self, content=b"", status_code=200, headers=None, media_type=None):
        self.content = content
        self.status_code = status_code
        self.headers = dict(headers) if headers else {}
        if media_type is None:
            media_type = self.media_type
        if media_type is None and content:
            is_text = isinstance(content, str)
            media_type = "text/plain; charset=utf-8" if is_text else "application/octet-stream"
        if media_type is not None and not any(k.lower() == "content-type" for k in self.headers):
            self.headers["Content-Type"] = media_type

    def set_cookie(
        self, name, value="", max_age=None, path="/", secure=False, httponly=False, samesite="Lax"
    ):
        """Adds a Set-Cookie field. `max_age` is in seconds; None: until the browser is closed."""
        parts = [name + "=" + value]
        if max_age is not None:
            parts.append("Max-Age=%d" % max_age)
        if path:
            parts.append("Path=" + path)
        if samesite:
            parts.append("SameSite=" + samesite)
        if secure:
            parts.append("Secure")
        if httponly:
            parts.append("HttpOnly")
        self.headers.setdefault("Set-Cookie", []).append("; ".join(parts))

    def fields(self):
        """The header lines, as they are sent."""
        lines = []
        for name, value in self.headers.items():
            for one in value if isinstance(value, list) else (value,):
                line = name + ": " + str(one)
                if "\r" in line or "\n" in line or "\0" in line or not _is_token(name):
                    raise ValueError("no header can hold %r" % line)
                if name.lower() in _RESERVED:
                    raise ValueError(name + " is the server's own to set")
                lines.append(line + "\r\n")
        return "".join(lines).encode()

    async def send(self, call):
        call.respond(self.status_code, self.fields(), self.content)


def _is_token(name):
    return bool(name) and all(c.isalpha() or c.isdigit() or c in "!#$%&'*+-.^_`|~" for c in name)


class JSONResponse(Response):
    """JSON of `content`, whatever its type."""

    media_type = "application/json"

    def __init__(self, content=None, status_code=200, headers=None):
        if isinstance(content, (str, bytes, bytearray)):
            import json

            content = json.dumps(content) if isinstance(content, str) else content
        super().__init__(content, status_code, headers)


class HTMLResponse(Response):
    media_type = "text/html; charset=utf-8"


class RedirectResponse(Response):
    """Sends the client on to `url`. 307 keeps the method, 303 makes it a GET."""

    def __init__(self, url, status_code=307, headers=None):
        super().__init__(b"", status_code, headers)
        self.headers["Location"] = url


class StreamingResponse(Response):
    """Sends each piece, str or bytes, as it comes from an iterator or an async generator.

    A client that reads slowly suspends this stream alone. For Server-Sent Events give
    media_type="text/event-stream" and pieces like "data: 1\\n\\n".
    """

    def __init__(self, content, status_code=200, headers=None, media_type=None):
        if media_type is None:
            media_type = self.media_type or "application/octet-stream"
        super().__init__(content, status_code, headers, media_type)

    async def send(self, call):
        await _begin(call, self, None)
        pieces = self.content
        try:
            if hasattr(pieces, "__anext__") or hasattr(pieces, "__aiter__"):
                async for piece in pieces:
                    await _write(call, piece)
            elif hasattr(pieces, "send"):
                await _pump(call, pieces)
            else:
                for piece in pieces:
                    await _write(call, piece)
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
        while not call.end():
            await _room(call)


async def _pump(call, generator):
    # MicroPython's async generators are its coroutines: they yield their pieces, and None where
    # they await.
    step, argument = generator.send, None
    taken = 0
    while True:
        try:
            piece = step(argument)
        except StopIteration:
            return
        step, argument = generator.send, None
        if piece is None:
            try:
                yield
            except BaseException as error:
                step, argument = generator.throw, error
            continue
        await _write(call, piece)
        taken += len(piece)
        if taken >= YIELD_EVERY:
            taken = 0
            await asyncio.sleep_ms(0)


class FileResponse(Response):
    """Sends a file as a mount does: with an ETag, conditions and ranges, its .gz sibling, and the
    server's cache. OSError when it is not there. With a status other than 200 it is sent whole.

    The type is guessed from the name's end. With `filename` the browser is asked to save it under
    that name.
    """

    def __init__(self, path, status_code=200, headers=None, media_type=None, filename=None):
        if not path.startswith("/"):
            path = os.getcwd().rstrip("/") + "/" + path
        if os.stat(path)[0] & _FOLDER:
            raise OSError(errno.EISDIR)
        super().__init__(b"", status_code, headers, media_type or _viperhttp.content_type(path))
        self._path = path
        if filename is not None:
            self.headers["Content-Disposition"] = 'attachment; filename="%s"' % filename.replace(
                '"', "_"
            )

    async def send(self, call):
        while not call.file(self.status_code, self.fields(), self._path):
            await _room(call)


async def _begin(call, response, length):
    while not call.begin(response.status_code, response.fields(), length):
        await _room(call)


async def _write(call, piece):
    if isinstance(piece, str):
        piece = piece.encode()
    done = 0
    while done < len(piece):
        taken = call.write(piece, done)
        done += taken
        if not taken:
            await _room(call)


async def _room(call):
    event = asyncio.Event()
    call.on_room(lambda _: event.set())
    await event.wait()
