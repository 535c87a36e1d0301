# SPDX-License-Identifier: MIT
"""Responses that are more than a value."""

import asyncio
import errno
import os
from asyncio import core

import _viperhttp

from viperhttp import signed_cookies
from viperhttp.routing import is_coroutine

YIELD_EVERY = 16384  # bytes of a stream after which other tasks have their turn

_AWAITS_NOTHING = object()
_FOLDER = 0x4000  # in the mode that os.stat gives
_WITHOUT_CONTENT = (204, 205)
_NO_TOKEN = '()<>@,;:\\"/[]?={}'  # RFC 9110, 5.6.2


class Response:
    """A status, header fields and content: str, bytes, or a value that becomes JSON.

    `headers` can be changed until the response is sent; a value may be a list, for fields that
    are repeated. When it is sent, ValueError for a status that HTTP does not know, a name or value
    that a header cannot hold, such as a control character, and for Content-Length,
    Transfer-Encoding and Connection, which the server sets.
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
        if media_type is not None and not (headers and _has_type(headers)):
            self.headers["Content-Type"] = media_type

    def set_cookie(
        self, name, value="", max_age=None, path="/", secure=False, httponly=False, samesite="Lax"
    ):
        """Adds a Set-Cookie field. `max_age` is in seconds; None: until the browser is closed.

        ValueError for what cannot stand there (RFC 6265, 4.1.1): in the value a space, a quote, a
        comma, a semicolon, a backslash, a control character or one that is not ASCII.
        """
        if not name or any(c in _NO_TOKEN or not _is_visible(c) for c in name):
            raise ValueError("a cookie cannot have the name %r" % name)
        if any(c in '",;\\' or not _is_visible(c) for c in value):
            raise ValueError("a cookie cannot have the value %r" % value)
        if any(c == ";" or c < " " or c > "~" for c in path or ""):
            raise ValueError("a cookie cannot have the path %r" % path)
        if samesite and samesite.lower() not in ("lax", "strict", "none"):
            raise ValueError("samesite is Lax, Strict or None")
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

    def delete_cookie(self, name, path="/"):
        """Has the browser forget a cookie that was set with this path."""
        self.set_cookie(name, max_age=0, path=path)

    def set_signed_cookie(self, name, value, key, **options):
        """As set_cookie, of any text; request.signed_cookie(name, key) gives it back, or None when
        somebody without `key`, str or bytes, has made or changed it. Everybody can read it."""
        self.set_cookie(name, signed_cookies.signed(name, value, key), **options)

    async def send(self, call):
        """Answers a call of the server with this."""
        call.respond(self.status_code, self.headers, self.content)


def _has_type(headers):
    return any([name.lower() == "content-type" for name in headers])


def _is_visible(c):
    return "!" <= c <= "~"


class JSONResponse(Response):
    """JSON of `content`, whatever its type."""

    media_type = "application/json"

    def __init__(self, content=None, status_code=200, headers=None):
        if isinstance(content, (str, bytes, bytearray)):
            import json

            content = json.dumps(content) if isinstance(content, str) else content
        super().__init__(content, status_code, headers)


class HTMLResponse(Response):
    """A Response whose content is HTML, str or bytes."""

    media_type = "text/html; charset=utf-8"


class RedirectResponse(Response):
    """Sends the client on to `url`. 307 keeps the method, 303 makes it a GET."""

    def __init__(self, url, status_code=307, headers=None):
        super().__init__(b"", status_code, headers)
        self.headers["Location"] = url


class StreamingResponse(Response):
    """Sends each piece, str or bytes, as it comes from an iterator or an async generator.

    A client that reads slowly suspends this stream alone. For Server-Sent Events give
    media_type="text/event-stream" and pieces like "data: 1\\n\\n". TypeError for content that has
    no pieces.
    """

    def __init__(self, content, status_code=200, headers=None, media_type=None):
        if media_type is None:
            media_type = self.media_type or "application/octet-stream"
        if not hasattr(content, "__anext__") and not hasattr(content, "__aiter__"):
            content = iter(content)
        super().__init__(content, status_code, headers, media_type)
        self._first = None  # a piece that was taken already

    async def send(self, call):
        """Answers a call of the server with this, as far as there is room, until all is sent."""
        await _begin(call, self, None)
        pieces = self.content
        try:
            if self._first is not None:
                await _write(call, self._first)
            if hasattr(pieces, "__anext__") or hasattr(pieces, "__aiter__"):
                async for piece in pieces:
                    await _write(call, piece)
            else:
                await _pump(call, pieces if is_coroutine(pieces) else _each(pieces))
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
        while not call.end():
            await _room(call)


def _each(iterator):
    yield from iterator


def _keep_task():
    # Asyncio notes in a task what it waits for, and forgets one that yields without that. A None
    # that a handler yields of its own only lets others have their turn.
    if core.cur_task.data is _AWAITS_NOTHING:
        core._task_queue.push(core.cur_task)


def settled(value, status):
    """What a handler's outcome is to be sent as: a Response, or a plain value. A pair (value,
    status), or three with the fields of the head, is a Response; TypeError for another tuple."""
    if isinstance(value, Response):
        if value.status_code is None:
            value.status_code = status
        return value
    if not isinstance(value, tuple):
        return value
    is_answer = len(value) in (2, 3) and isinstance(value[1], int)
    if not is_answer or not isinstance(value[-1], (int, dict)):
        raise TypeError("a tuple is (value, status) or (value, status, headers); a list is JSON")
    response = response_for(value[0], value[1])
    response.status_code = value[1]
    response.headers.update(value[2] if len(value) == 3 else {})
    return response


def response_for(value, status):
    """The Response that a handler's outcome stands for."""
    value = settled(value, status)
    if isinstance(value, Response):
        return value
    if value is None and status in _WITHOUT_CONTENT:
        return Response(b"", status)
    if isinstance(value, (str, bytes, bytearray, memoryview)):
        return Response(value, status)
    return JSONResponse(value, status)


async def outcome(value):
    """What a handler's result is in the end: itself, what a coroutine returns, or a response that
    streams what a generator yields."""
    while is_coroutine(value):
        generator, step, argument = value, value.send, None
        while True:
            core.cur_task.data = _AWAITS_NOTHING
            try:
                piece = step(argument)
            except StopIteration as end:
                value = end.value
                break
            if piece is not None:
                return _stream(piece, generator)
            step, argument = generator.send, None
            _keep_task()
            try:
                yield
            except BaseException as error:
                step, argument = generator.throw, error
    return value


def _stream(first, generator):
    is_text = isinstance(first, str)
    if not is_text and not isinstance(first, (bytes, bytearray, memoryview)):
        generator.close()
        raise TypeError("a handler cannot yield %s" % type(first).__name__)
    media_type = "text/plain; charset=utf-8" if is_text else "application/octet-stream"
    response = StreamingResponse(generator, None, media_type=media_type)  # its route's status
    response._first = first
    return response


async def _pump(call, generator):
    # MicroPython's async generators are its coroutines: they yield their pieces, and None where
    # they await.
    step, argument = generator.send, None
    taken = 0
    while True:
        core.cur_task.data = _AWAITS_NOTHING
        try:
            piece = step(argument)
        except StopIteration:
            return
        step, argument = generator.send, None
        if piece is None:
            _keep_task()
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
            self.headers["Content-Disposition"] = _attachment(filename)

    async def send(self, call):
        """Answers a call of the server with this, as far as there is room, until all is sent."""
        while not call.file(self.status_code, self.headers, self._path):
            await _room(call)


class ServedResponse(Response):
    """What the server answers by itself: a mounted file, /health, 404 and 405. Middleware for
    everything gets it of call_next.

    `headers` go before the server's own of their names; Vary is added to them. The status, and the
    content, are the server's: conditions and ranges may still make 304, 206, 412 or 416 of 200.
    """

    def __init__(self, status, file, folder_status):
        self.content = b""
        self.headers = {}
        self._status = status  # with a file: if it is not there
        self._file = file
        self._folder_status = folder_status

    @property
    def status_code(self):
        """200, 301 for a folder without its slash, 204, 404 or 405."""
        if self._file:
            self._status = _viperhttp.file_status(self._file, self._status, self._folder_status)
            self._file = ""
        return self._status

    async def send(self, call):
        """Has the server answer a call, as soon as there is room."""
        while not call.pass_on(self.headers):
            await _room(call)


def _attachment(filename):
    plain = "".join(["_" if c in '"\\' or not " " <= c <= "~" else c for c in filename])
    field = 'attachment; filename="%s"' % plain
    if plain != filename:  # RFC 8187
        coded = ["%c" % b if _is_attribute(b) else "%%%02X" % b for b in filename.encode()]
        field += "; filename*=UTF-8''" + "".join(coded)
    return field


def _is_attribute(byte):
    return byte < 128 and (
        chr(byte).isalpha() or chr(byte).isdigit() or chr(byte) in "!#$&+-.^_`|~"
    )


async def _begin(call, response, length):
    while not call.begin(response.status_code, response.headers, length):
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
