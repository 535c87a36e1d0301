# SPDX-License-Identifier: MIT
"""Runs of SCons for the incremental loop, and the processes that make them short.

`scons_server` has SCons and the tools loaded, and `viper.update.worker` keeps the device's port.
Both run the code that they were started with: `renew` starts them again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from viper.base import process
from viper.flash.jobs import WORKER

_GRACE_S = 3.0  # what a run has to end by itself, and to leave the device in order


class Runs:
    """Runs of SCons, one after the other; a context, which ends what it has started."""

    def __init__(self, arguments: Iterable[str]) -> None:
        """Starts nothing yet.

        Args:
            arguments: OPTION=value, for every run.
        """
        self._arguments = tuple(arguments)
        self._processes = contextlib.AsyncExitStack()
        self._started: list[asyncio.subprocess.Process] = []

    async def __aenter__(self) -> Runs:
        await self._start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._processes.aclose()

    async def renew(self) -> None:
        """Have the runs that follow done by the code as it is now."""
        await self._processes.aclose()
        await self._start()

    async def run(self, goal: str) -> bool:
        """Have a goal done, which is interrupted if this is cancelled; whether it succeeded."""
        if any(process.returncode is not None for process in self._started):
            await self.renew()
        self._requests.write(json.dumps(["-Q", goal, *self._arguments]).encode() + b"\n")
        pid = (await self._answer())["pid"]
        ending = asyncio.ensure_future(self._answer())
        try:
            return bool((await asyncio.shield(ending))["status"] == 0)
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            await asyncio.wait({ending}, timeout=_GRACE_S)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            await ending
            raise

    async def _answer(self) -> dict[str, Any]:
        line = await self._answers.readline()
        if not line:
            raise RuntimeError("scons_server has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def _start(self) -> None:
        self._started = []
        folder = self._processes.enter_context(tempfile.TemporaryDirectory(prefix="viperhttp-dev-"))
        address = str(Path(folder, "flash_worker"))
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(address)
            listener.listen()
            await self._start_process(
                "viper.update.worker",
                "--stay",
                str(os.getppid()),
                stdin=listener.fileno(),
                environment=process.module_environment(),
                stdout=asyncio.subprocess.DEVNULL,  # esptool's own words
            )
        ours, its = socket.socketpair()
        with its:
            await self._start_process(
                "scons_server", stdin=its.fileno(), environment={**os.environ, WORKER: address}
            )
        self._answers, self._requests = await asyncio.open_unix_connection(sock=ours)
        self._processes.callback(self._requests.close)

    async def _start_process(
        self,
        module: str,
        *arguments: str,
        stdin: int,
        environment: dict[str, str],
        stdout: int | None = None,
    ) -> None:
        started = await asyncio.create_subprocess_exec(
            "setpriv", "--pdeathsig", "TERM", sys.executable, "-m", module, *arguments,
            stdin=stdin,
            stdout=stdout,
            env=environment,
            start_new_session=True,
        )  # fmt: skip
        self._started.append(started)
        self._processes.push_async_callback(_end, started)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Interrupt a process, and make sure that it ends."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    ending = asyncio.ensure_future(process.wait())
    await asyncio.wait({ending}, timeout=_GRACE_S)
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await ending
