# SPDX-License-Identifier: MIT
"""A double of a device, for what a device cannot be made to do on command: an HTTP server in a
thread that stalls, dies or seems to restart when it is told to.

It answers what `viper.performance` asks of a device, in the form of firmware/app; that this is the
form is tested on the virtual board (tests/graph/test_perf_goal.py).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

METRICS = """\
# TYPE viperhttp_build_info gauge
viperhttp_build_info{{version="0.1.0",build_id="5019536d4780a192",ring_memory="psram"}} 1
# TYPE viperhttp_uptime_seconds gauge
viperhttp_uptime_seconds {uptime:.3f}
viperhttp_responses_total{{status="200"}} {requests}
viperhttp_ring_high_water_bytes{{ring="requests"}} 40
"""


class HttpDevice:
    """The server; its event loop runs in a thread of its own.

    Attributes:
        requests: how many requests for `/` have been answered.
        stall_at, stall_s: the request for `/` during which everything stands still, and how long.
        die_at: the request for `/` at which it closes everything, for good.
        delay_s: what each request for `/` takes.
        status: what `/` is answered with.
        uptime: what it tells.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.stall_at = self.die_at = -1
        self.stall_s = self.delay_s = 0.0
        self.status = 200
        self.uptime = 1000.0
        self.address = ""
        self._loop = asyncio.new_event_loop()
        self._not_stalled = asyncio.Event()

    async def _page(self, request: web.Request) -> web.Response:
        self.requests += 1
        if self.requests == self.stall_at:
            self._not_stalled.clear()
            self._loop.call_later(self.stall_s, self._not_stalled.set)
        if self.requests == self.die_at:
            self._loop.create_task(self._runner.cleanup())
        await self._not_stalled.wait()
        await asyncio.sleep(self.delay_s)
        return web.Response(text="page", status=self.status)

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(text=METRICS.format(uptime=self.uptime, requests=self.requests))

    async def _device(self, request: web.Request) -> web.Response:
        return web.json_response({"mac": "02a274c09e1b", "free": {"heap_free": 8_217_984}})

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def start(self) -> None:
        self._not_stalled.set()
        application = web.Application()
        application.router.add_get("/", self._page)
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/perf/device", self._device)
        application.router.add_get("/health", self._health)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.address = f"127.0.0.1:{self._runner.addresses[0][1]}"

    @contextmanager
    def serving(self) -> Iterator[HttpDevice]:
        self._loop.run_until_complete(self.start())
        thread = threading.Thread(target=self._loop.run_forever)
        thread.start()
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join()
            self._loop.close()
