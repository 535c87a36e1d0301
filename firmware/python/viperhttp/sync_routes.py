# SPDX-License-Identifier: MIT
"""The files of the device brought up to date over the network: `./scons sync HOST=...`.

    from viperhttp import sync_routes

    app.include_router(sync_routes.router())

Requests and answers are sealed with the device's token (see viperhttp.sealed).

    GET  /sync                  {"boot", "outdated"}
    POST /sync/manifest         takes the digests that are known as JSON; what there is, a line each
    POST /sync/look             takes a JSON list of paths; what is there, a line each
    PUT  /sync/files/NAME?at=N  a piece of a file, from its byte N on; "&sha256=H" with the last one
    POST /sync/copy             {"path", "name", "sha256"}: a file that the device has already
    POST /sync/forget           takes a JSON list of names of files that are not wanted any more
    POST /sync/switch           takes the name of an intent as JSON; puts files in their places
    POST /sync/reset            starts the application anew

What they do is in viperhttp.sync. A piece may be compressed, with `Content-Encoding: deflate`
(zlib). One that is sent twice does no harm. A file is left closed after each of its pieces, for
the next one may never come.
"""

import asyncio
import errno
import json

from viperhttp import restart, sealed, sync
from viperhttp.errors import HTTPException
from viperhttp.request import current_request
from viperhttp.responses import Response, StreamingResponse
from viperhttp.routing import Query


def router():
    """The routes, for app.include_router()."""
    routes = sealed.Router("/sync")
    routes.get("")(_status)
    routes.post("/manifest")(_manifest)
    routes.post("/look")(_look)
    routes.put("/files/{name}", query={"at": Query(type=int), "sha256": Query("")})(_receive)
    routes.post("/copy")(_copy)
    routes.post("/forget")(_forget)
    routes.post("/switch")(_switch)
    routes.post("/reset")(restart.soon)
    return routes


def _status():
    return {"boot": restart.BOOT, "outdated": sync.is_outdated()}


def _manifest():
    return _lines(sync.entries(current_request().json()))


def _look():
    return _lines(sync.found(current_request().json()))


def _lines(answers):
    async def lines():
        for answer in answers:
            yield json.dumps(answer) + "\n"
            await asyncio.sleep_ms(0)

    return StreamingResponse(lines(), media_type="application/x-ndjson")


def _receive(name, at, sha256):
    request = current_request()
    packed = request.headers.get("content-encoding") == "deflate"
    try:
        sync.begin(name, at)
        (sync.unpack if packed else sync.write)(request.body())
        if sha256:
            sync.end(sha256)
        else:
            sync.pause()
    except OSError as error:
        sync.abandon()
        raise _failure(error) from None
    return Response()


def _copy():
    what = current_request().json()
    try:
        sync.copy(what["path"], what["name"], what["sha256"])
    except OSError as error:
        raise _failure(error) from None
    return Response()


def _forget():
    return sync.forgotten(current_request().json())


def _switch():
    return _lines(sync.switching(current_request().json()))


def _failure(error):
    if error.errno == errno.ENOSPC:
        return HTTPException(507, "the file system is full")
    return HTTPException(500, "the file system fails: %s" % error)
