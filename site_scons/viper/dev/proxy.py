# SPDX-License-Identifier: MIT
"""A device's page that reloads itself: a proxy on this computer, in front of the device.

The device serves everything, as to anybody; the proxy adds a script to each HTML document that a
browser shows by itself, which waits for Server-Sent Events from the proxy. Nothing of this is on
the device.
"""

from __future__ import annotations

import asyncio
import errno
import time
from html import escape
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
const reload = () => location.reload();
if (window.SharedWorker && navigator.locks) {{
  // A browser has six connections to a host: all pages share one. What waits for the lock of a page
  // knows when the page is gone, however that was.
  const page = crypto.randomUUID();
  navigator.locks.request(page, () => {{
    const {{ port }} = new SharedWorker("{_OURS}/worker.js");
    port.onmessage = reload;
    port.postMessage(page);
    return new Promise(() => {{}});
  }});
}} else {{
  new EventSource("{_OURS}/events").onmessage = reload;
}}
"""
_WORKER = f"""\
// The one stream of all open pages.
const pages = new Map();
const id = crypto.randomUUID();
let told = Promise.resolve();
const tell = () => {{
  const body = JSON.stringify({{ id, pages: pages.size }});
  told = told.then(() => fetch("{_OURS}/pages", {{ method: "POST", body }})).catch(() => {{}});
}};
onconnect = ({{ ports: [port] }}) => {{
  port.onmessage = ({{ data: page }}) => {{
    pages.set(page, port);
    tell();
    navigator.locks.request(page, () => {{
      pages.delete(page);
      tell();
    }});
  }};
}};
const events = new EventSource(`{_OURS}/events?id=${{id}}`);
events.onopen = tell;
events.onmessage = () => pages.forEach((port) => port.postMessage("reload"));
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
        self._open: set[asyncio.Queue[None]] = set()  # of each stream of events
        self._pages: dict[str, int] = {}  # how many pages share a stream, by its id
        self.url = ""

    async def __aenter__(self) -> DevPage:
        timeout = ClientTimeout(total=None, sock_connect=_SILENCE_S, sock_read=_SILENCE_S)
        # A chip that is reset does not close its connections: none is used again.
        connector = TCPConnector(force_close=True)
        self._client = ClientSession(auto_decompress=False, timeout=timeout, connector=connector)
        application = web.Application()
        application.router.add_get(f"{_OURS}/reload.js", self._script)
        application.router.add_get(f"{_OURS}/worker.js", self._script)
        application.router.add_get(f"{_OURS}/events", self._events)
        application.router.add_post(f"{_OURS}/pages", self._told)
        application.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(
            application,
            access_log=None,
            shutdown_timeout=0.1,
            handler_cancellation=True,  # a stream ends with its page
        )
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

    @property
    def open_pages(self) -> int:
        """How many pages wait: those that share a stream, and each that has one of its own."""
        return len(self._open) - len(self._pages) + sum(self._pages.values())

    async def reload(self) -> int:
        """Have every open page load itself anew once the device serves; how many there are."""
        await self._until_served()
        count = self.open_pages
        for stream in self._open:
            stream.put_nowait(None)
        return count

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
        text = _RELOAD if request.path.endswith("reload.js") else _WORKER
        return web.Response(
            text=text, content_type="text/javascript", headers={"Cache-Control": "no-store"}
        )

    async def _told(self, request: web.Request) -> web.Response:
        """How many pages share a stream that is open."""
        told = await request.json()
        if told["id"] in self._pages:
            self._pages[told["id"]] = int(told["pages"])
        return web.Response(status=204)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        changes: asyncio.Queue[None] = asyncio.Queue()
        shared = request.query.get("id")
        self._open.add(changes)
        if shared:
            self._pages[shared] = 0  # until it tells
        try:
            await stream.write(b": open\n\n")
            while True:
                await changes.get()
                await stream.write(b"data: reload\n\n")
        except ConnectionError:
            return stream  # the page is gone
        finally:
            self._open.discard(changes)
            if shared:
                self._pages.pop(shared, None)

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        fields = CIMultiDict(request.headers)
        fields["Host"] = self._device
        _drop(fields, *_HOP_BY_HOP)
        is_document = _is_document(request)
        if is_document:
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
                is_page = is_document and answer.content_type == "text/html"
                if is_page and "Content-Encoding" not in head:
                    _drop(head, "Content-Length")
                    body = await answer.read() + _SCRIPT.encode()
                    return web.Response(status=answer.status, headers=head, body=body)
                return await _stream(request, answer, head)
        except (ClientError, ConnectionError) as error:
            return web.Response(
                status=502, text=_SILENT % escape(f"The device does not answer: {error}"),
                content_type="text/html", headers={"Cache-Control": "no-store"},
            )  # fmt: skip


def _is_document(request: web.Request) -> bool:
    """Whether a browser shows the answer by itself: not in a frame, not to a script that asks for a
    piece of HTML. What sends no Sec-Fetch-Dest says what it takes."""
    destination = request.headers.get("Sec-Fetch-Dest")
    if destination is not None:
        return destination == "document"
    return "text/html" in request.headers.get("Accept", "")


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
