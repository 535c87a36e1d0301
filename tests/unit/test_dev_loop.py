# SPDX-License-Identifier: MIT
"""What the incremental loop tells of a save."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest
from viper.dev.loop import Loop, Request
from viper.dev.proxy import DevPage
from viper.dev.runs import Runs

REQUEST = Request(None, False, [], files=["assets/www"], sources=["firmware"])
SAVED = {Path("assets/www/index.html")}


class FineRuns:
    """Runs that bring everything to the device."""

    async def run(self, goal: str) -> bool:
        return True


class OpenPages:
    """A page that is saved once for each of `counts`, and is open so often at the time."""

    url = "http://127.0.0.1:1/"

    def __init__(self, counts: list[int]) -> None:
        self.counts = counts
        self.loop = Loop(cast(Runs, FineRuns()), cast(DevPage, self), REQUEST)
        self.all_told = asyncio.Event()

    async def reload(self) -> int:
        if not self.counts:
            self.all_told.set()
            await asyncio.Event().wait()  # until the loop ends
        self.loop.note(SAVED)
        return self.counts.pop(0)


async def tell(counts: list[int]) -> None:
    """Save a page as often as there are counts."""
    pages = OpenPages(counts)
    pages.loop.note(SAVED)
    building = asyncio.create_task(pages.loop.build())
    await pages.all_told.wait()
    building.cancel()
    await asyncio.gather(building, return_exceptions=True)


def test_each_save_tells_how_many_pages_were_loaded_anew(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asyncio.run(tell([0, 1, 2]))
    told = capsys.readouterr().out.splitlines()
    assert told[1:] == ["RELOAD   0 open pages", "RELOAD   1 open page", "RELOAD   2 open pages"]
