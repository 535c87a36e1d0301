"""The incremental loop: `python -m viper.dev_loop REQUEST`, a JSON object (see `Request`).

What is saved is brought to the device by the goal that a person would type, `sync` or, if it is
part of the firmware, `flash`; then the open pages are loaded anew (viper.dev_page). A goal that
fails says why, and the next save tries again. SIGINT ends the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from viper import console
from viper.dev_page import DevPage

WATCHED = ("assets", "boards", "firmware", "nix", "site_scons")
_FILES = (Path("assets"), Path("firmware/app"))  # what `sync` brings
_STEP_MS = 20  # an editor's writes of one save lie closer together
_DEBOUNCE_MS = 200
_GRACE_S = 3.0  # what a build has to end by itself, and to leave the device in order


@dataclass(frozen=True)
class Request:
    """What the loop is about."""

    device: str | None  # host of the device's page, None if it is not known
    arguments: tuple[str, ...]  # OPTION=value, for every run


class Builds:
    """Runs of SCons, one after the other, of which the next is always loaded."""

    def __init__(self, arguments: Iterable[str]) -> None:
        self._arguments = tuple(arguments)
        self._next: asyncio.subprocess.Process | None = None

    async def prepare(self) -> None:
        """Load the next run, unless that has been done."""
        if self._next is None:
            self._next = await asyncio.create_subprocess_exec(
                *("setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "scons_ahead"),
                stdin=asyncio.subprocess.PIPE,
                start_new_session=True,
            )

    async def run(self, goal: str) -> bool:
        """Have a goal done, which is interrupted if this is cancelled; whether it succeeded."""
        await self.prepare()
        process, self._next = self._next, None
        assert process is not None and process.stdin is not None
        process.stdin.write(json.dumps(["-Q", goal, *self._arguments]).encode() + b"\n")
        process.stdin.close()
        try:
            return await process.wait() == 0
        except asyncio.CancelledError:
            await _end(process)
            raise

    async def close(self) -> None:
        """Do without the next run."""
        if self._next is not None and self._next.stdin is not None:
            self._next.stdin.close()
            await self._next.wait()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Interrupt the leader of a session, and make sure that it ends."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    ending = asyncio.ensure_future(process.wait())
    await asyncio.wait({ending}, timeout=_GRACE_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await ending


def goal_for(saved: Iterable[Path]) -> str:
    """The goal that brings saved files to the device."""
    is_file = all(any(folder in path.parents for folder in _FILES) for path in saved)
    return "sync" if is_file else "flash"


class Loop:
    """Watches, builds, reloads."""

    def __init__(self, builds: Builds, page: DevPage | None) -> None:
        self._builds = builds
        self._page = page
        self._saved: set[Path] = set()
        self._something_saved = asyncio.Event()

    async def watch(self) -> None:
        """Note what is saved."""
        from watchfiles import awatch

        folders = [folder for folder in WATCHED if Path(folder).is_dir()]
        async for changes in awatch(*folders, step=_STEP_MS, debounce=_DEBOUNCE_MS):
            self._saved |= {Path(os.path.relpath(path)) for _, path in changes}
            self._something_saved.set()

    async def build(self) -> None:
        """Bring everything to the device, then whatever is saved."""
        done = await self._builds.run("flash")
        failed = set() if done else {Path("firmware")}
        self._tell()
        while True:
            await self._builds.prepare()
            await self._something_saved.wait()
            self._something_saved.clear()
            # What failed has not reached the device, and does with what mends it.
            saved, self._saved = self._saved | failed, set()
            done = await self._builds.run(goal_for(saved))
            failed = set() if done else saved
            if done and self._page is not None:
                count = self._page.reload()
                console.step("RELOAD", f"{count} open page{'' if count == 1 else 's'}")

    def _tell(self) -> None:
        where = self._page.url if self._page else "no page to reload: give HOST=192.168.0.7"
        console.step("DEV", f"{where}  what you save is on the device; Ctrl-C ends")


async def _run(request: Request) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    builds = Builds(request.arguments)
    async with contextlib.AsyncExitStack() as stack:
        page = await stack.enter_async_context(DevPage(request.device)) if request.device else None
        stack.push_async_callback(builds.close)
        loop = Loop(builds, page)
        waiting = asyncio.create_task(ended.wait())
        tasks = {waiting, *map(asyncio.ensure_future, (loop.watch(), loop.build()))}
        finished, running = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for task in finished:
            task.result()


def main() -> None:
    """Run the loop that argv describes."""
    record = json.loads(sys.argv[1])
    asyncio.run(_run(Request(record["device"], tuple(record["arguments"]))))


if __name__ == "__main__":
    main()
