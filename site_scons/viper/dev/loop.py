# SPDX-License-Identifier: MIT
"""The incremental loop: `python -m viper.dev.loop REQUEST`, a JSON object (see `Request`).

What is saved is brought to the device by the goals that a person would type: `sync`, or, if it is
part of the firmware, `flash` (over the network alone, `ota` and `sync`); then the open pages are
loaded anew (viper.dev.proxy). A goal that fails says why, and the next save tries again. SIGINT
ends the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from viper.base import console
from viper.dev.proxy import DevPage
from viper.dev.runs import Runs
from viper.dev.watched import Watched

_TOOLS = Path("site_scons")


@dataclass(frozen=True)
class Request:
    """What the loop is about."""

    device: str | None  # host of the device's page, None if it is not known
    by_network: bool  # whether the device is reached there alone
    arguments: Sequence[str]  # OPTION=value, for every run
    files: Sequence[str]  # the folders of what `sync` brings
    sources: Sequence[str]  # the folders of all else that is built


def goals_for(saved: Iterable[Path], request: Request) -> tuple[str, ...]:
    """The goals that bring saved files to the device."""
    files = set(map(Path, request.files))
    if all(files & {*path.parents} for path in saved):
        return ("sync",)
    return ("ota", "sync") if request.by_network else ("flash",)


class Loop:
    """Builds and reloads, for what is saved."""

    def __init__(self, runs: Runs, page: DevPage | None, request: Request) -> None:
        self._runs = runs
        self._page = page
        self._request = request
        self._saved: set[Path] = set()
        self._something_saved = asyncio.Event()

    def note(self, saved: set[Path]) -> None:
        """Note what is saved."""
        self._saved |= saved
        self._something_saved.set()

    async def build(self) -> None:
        """Bring everything to the device, then whatever is saved."""
        everything = {Path("firmware")}
        failed = set() if await self._bring(everything) else everything
        self._tell()
        while True:
            await self._something_saved.wait()
            self._something_saved.clear()
            # What failed has not reached the device, and does with what mends it.
            saved, self._saved = self._saved | failed, set()
            if any(_TOOLS in path.parents for path in saved):
                await self._runs.renew()
            done = await self._bring(saved)
            failed = set() if done else saved
            if done and self._page is not None:
                count = await self._page.reload()
                console.step("RELOAD", f"{count} open page{'' if count == 1 else 's'}")

    async def _bring(self, saved: set[Path]) -> bool:
        """Bring saved files to the device; whether they are there."""
        for goal in goals_for(saved, self._request):
            if not await self._runs.run(goal):
                return False
        return True

    def _tell(self) -> None:
        where = self._page.url if self._page else "no page to reload: give HOST=192.168.0.7"
        console.step("DEV", f"{where}  what you save is on the device; Ctrl-C ends")


async def _run(request: Request) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with contextlib.AsyncExitStack() as stack:
        page = await stack.enter_async_context(DevPage(request.device)) if request.device else None
        runs = await stack.enter_async_context(Runs(request.arguments))
        loop = Loop(runs, page, request)
        waiting = asyncio.create_task(ended.wait())
        watched = Watched([*request.files, *request.sources], loop.note)
        tasks = {waiting, *map(asyncio.ensure_future, (watched.watch(), loop.build()))}
        finished, running = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for task in finished:
            task.result()


def main() -> None:
    """Run the loop that argv describes."""
    record = json.loads(sys.argv[1])
    asyncio.run(_run(Request(**record)))


if __name__ == "__main__":
    main()
