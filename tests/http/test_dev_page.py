# SPDX-License-Identifier: MIT
"""The page of the loop in front of a real browser: many tabs, one stream, nothing in pieces."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack
from typing import Any, TypeVar

import httpx
import pytest
from chromium import Chromium
from doubles.hostile_device import HostileDevice, http
from viper.dev.proxy import DevPage

T = TypeVar("T")

TABS = 9  # a browser has six connections to a host
HTML = "Content-Type: text/html\r\nConnection: close\r\n"
NAVIGATION = {"Sec-Fetch-Dest": "document", "Accept": "text/html"}


class Served:
    """A proxy, in a thread of its own."""

    def __init__(self, device: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._page = DevPage(device)
        self.do(self._page.__aenter__())

    @property
    def url(self) -> str:
        return self._page.url

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def reload(self) -> int:
        return self.do(self._page.reload())

    def wait_for(self, count: int) -> None:
        """Wait until so many pages are open."""
        deadline = time.monotonic() + 60
        while self._page.open_pages != count:
            assert time.monotonic() < deadline, self._page.open_pages
            time.sleep(0.01)

    def close(self) -> None:
        self.do(self._page.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def served() -> Iterator[Served]:
    device = HostileDevice(lambda head: http(b"<!doctype html><title>page</title>", fields=HTML))
    with device.serving():
        served = Served(device.host)
        try:
            yield served
        finally:
            served.close()


def test_every_tab_is_reloaded_and_counted_once(served: Served, browser: Chromium) -> None:
    with ExitStack() as closing:
        pages = [browser.open(served.url, width=400) for _ in range(TABS)]
        for page in pages:
            closing.callback(page.close)
            page.wait_until("document.title === 'page'")
        for _ in range(2):
            for page in pages:
                page.evaluate("window.before = true")
            served.wait_for(TABS)
            assert served.reload() == TABS
            for page in pages:
                page.wait_until("document.title === 'page' && !window.before")
        pages.pop().close()
        closing.pop_all()
        closing.callback(lambda: [page.close() for page in pages])
        served.wait_for(TABS - 1)


@pytest.mark.parametrize("destination", ["empty", "iframe", "image", "script"])
def test_what_a_page_fetches_is_as_the_device_sends_it(served: Served, destination: str) -> None:
    """htmx fetches pieces of HTML and puts them into the page."""
    fields = {"Sec-Fetch-Dest": destination, "Accept": "text/html, */*"}
    assert httpx.get(served.url, headers=fields).text == "<!doctype html><title>page</title>"
    assert "_dev/reload.js" in httpx.get(served.url, headers=NAVIGATION).text


def test_what_a_device_says_is_no_html_of_ours() -> None:
    device = HostileDevice(lambda head: b"<script>alert(1)</script>\r\n\r\n")
    with device.serving():
        served = Served(device.host)
        try:
            shown = httpx.get(served.url, headers=NAVIGATION)
        finally:
            served.close()
    assert shown.status_code == 502 and "<script>alert" not in shown.text
