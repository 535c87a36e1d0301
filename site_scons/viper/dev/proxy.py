# SPDX-License-Identifier: MIT
"""A device's page that reloads itself: a proxy on this computer, in front of the device.

The device serves everything, as to anybody; the proxy adds a script to each HTML document, which
waits for Server-Sent Events from the proxy. Nothing of this is on the device.
"""

from __future__ import annotations

import asyncio
import errno
import time
from types import TracebackType

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, TCPConnector, web
from multidict import CIMultiDict
from yarl import URL

_PORT = 8090  # so that an open page finds the next loop; a free one if it is taken
_SILENCE_S = 30.0  # from a device; a stream of events that rests for longer is begun anew
_START_S = 30.0  # what a device may take from a reset to its first answer
_RETRY_S = 0.05
_ONE_TRY = ClientTimeout(total=1.0)  # a device that starts may not even refuse
_OURS = "/_dev"
_SCRIPT = f'<script src="{_OURS}/reload.js"></script>\n'
_RELOAD = f"""\
// When `./scons dev` has brought a change to the device, and when it is there again.
new EventSource("{_OURS}/events").onmessage = () => location.reload();
"""
_SILENT = f"<!doctype html><title>No answer</title><p>%s</p>{_SCRIPT}"

# What concerns one connection, and not what is said on it (RFC 9110, 7.6.1).
_HOP_BY_HOP = ("Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade")


class DevPage:
    """The proxy; a context.

    Attributes:
        url: where the page is.
    """

    def __init__(self, device: str) -> None:
        """Proxy for a device.

        Args:
            device: its host, with a port if that is not 80.
        """
        self._device = device
        self._open: set[asyncio.Queue[None]] = set()  # of each page that waits
        self.url = ""

    async def __aenter__(self) -> DevPage:
        timeout = ClientTimeout(total=None, sock_connect=_SILENCE_S, sock_read=_SILENCE_S)
        # A chip that is reset does not close its connections: none is used again.
        connector = TCPConnector(force_close=True)
        self._client = ClientSession(auto_decompress=False, timeout=timeout, connector=connector)
        application = web.Application()
        application.router.add_get(f"{_OURS}/reload.js", self._script)
        application.router.add_get(f"{_OURS}/events", self._events)
        application.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, "127.0.0.1", _PORT).start()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()
        await self._client.close()

    async def reload(self) -> int:
        """Have every open page load itself anew once the device serves; how many there are."""
        await self._until_served()
        for page in self._open:
            page.put_nowait(None)
        return len(self._open)

    async def _until_served(self) -> None:
        """Wait for a device that starts again, for a while: then the page says what is wrong."""
        deadline = time.monotonic() + _START_S
        while not await self._serves() and time.monotonic() < deadline:
            await asyncio.sleep(_RETRY_S)

    async def _serves(self) -> bool:
        try:
            async with self._client.head(f"http://{self._device}/", timeout=_ONE_TRY):
                return True
        except (ClientError, ConnectionError, asyncio.TimeoutError):
            return False

    async def _script(self, request: web.Request) -> web.Response:
        return web.Response(
            text=_RELOAD, content_type="text/javascript", headers={"Cache-Control": "no-store"}
        )

    async def _events(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        page: asyncio.Queue[None] = asyncio.Queue()
        self._open.add(page)
        try:
            await stream.write(b": open\n\n")
            while True:
                await page.get()
                await stream.write(b"data: reload\n\n")
        except ConnectionError:
            return stream  # the page is gone
        finally:
            self._open.discard(page)

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        fields = CIMultiDict(request.headers)
        fields["Host"] = self._device
        _drop(fields, *_HOP_BY_HOP)
        if "text/html" in fields.get("Accept", ""):
            _drop(fields, "Accept-Encoding")  # what is compressed cannot be added to
        try:
            async with self._client.request(
                request.method,
                URL(f"http://{self._device}{request.raw_path}", encoded=True),
                headers=fields,
                data=request.content if request.can_read_body else None,
                allow_redirects=False,
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            ) as answer:
                head = CIMultiDict(answer.headers)
                _drop(head, *_HOP_BY_HOP)
                head["Cache-Control"] = "no-store"  # what is saved is what is seen
                if answer.content_type == "text/html" and "Content-Encoding" not in head:
                    _drop(head, "Content-Length")
                    body = await answer.read() + _SCRIPT.encode()
                    return web.Response(status=answer.status, headers=head, body=body)
                return await _stream(request, answer, head)
        except (ClientError, ConnectionError) as error:
            return web.Response(
                status=502, text=_SILENT % f"The device does not answer: {error}",
                content_type="text/html", headers={"Cache-Control": "no-store"},
            )  # fmt: skip


async def _stream(
    request: web.Request, answer: ClientResponse, head: CIMultiDict[str]
) -> web.StreamResponse:
    """Pass on what the device sends, as it comes."""
    stream = web.StreamResponse(status=answer.status, headers=head)
    try:
        await stream.prepare(request)
        async for piece in answer.content.iter_any():
            await stream.write(piece)
    except (ClientError, ConnectionError):
        if request.transport is not None:
            request.transport.abort()  # what is not whole is not to look as if it were
    return stream


def _drop(fields: CIMultiDict[str], *names: str) -> None:
    for name in names:
        fields.popall(name, None)
