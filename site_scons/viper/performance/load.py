# SPDX-License-Identifier: MIT
"""The load generator: one phase of requests to one device.

In a closed loop each client asks again as soon as it has its answer. In an open loop requests are
due at fixed times, and a latency counts from when its request was due: a device that stalls is
charged for every request that it kept waiting, sent or not.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from viper.base.errors import UserError
from viper.performance.latency import LONGEST_US, Latencies, Timeline, histogram

if TYPE_CHECKING:
    from aiohttp import ClientSession

REQUEST_S = 10.0  # a request that takes longer has failed
SILENT_S = 5.0  # a device that fails requests and answers none for so long is gone
_BACK_OFF_S = 0.05  # of a client whose request has failed
_LAG_EVERY_S = 0.01
_WINDOWS = 20  # of a phase, but none shorter than
_WINDOW_S = 0.1

CPU_LIMIT = 0.9  # of a core; from there on the generator measures itself
LAG_LIMIT_MS = 25.0  # p99 of how late its timers are; a Windows timer alone takes 16


@dataclass(frozen=True)
class Plan:
    """One phase."""

    address: str
    paths: tuple[str, ...]
    clients: int
    duration_s: float
    rate: float | None = None  # requests a second of an open loop; None: a closed loop


@dataclass
class Generator:
    """What the load generator itself did meanwhile."""

    cpu: float = 0.0  # of one core, 0 to 1
    lag_p99_ms: float = 0.0  # how late its timers were

    @property
    def bottleneck(self) -> str:
        """Why the figures are rather the generator's than the device's; empty if they are not."""
        if self.cpu >= CPU_LIMIT:
            return f"it used {self.cpu:.0%} of a core"
        if self.lag_p99_ms >= LAG_LIMIT_MS:
            return f"its own timers came {self.lag_p99_ms:.0f} ms late"
        return ""


@dataclass
class Load:
    """What a phase measured; it grows while the phase runs."""

    plan: Plan
    paths: dict[str, Latencies]
    timeline: Timeline
    all: Latencies = field(default_factory=Latencies)
    elapsed_s: float = 0.0  # from the start to the last answer, or the end if that is later
    unsent: int = 0  # requests that were due, and for which no connection became free
    generator: Generator = field(default_factory=Generator)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.all.requests / self.elapsed_s if self.elapsed_s else 0.0

    @property
    def failures(self) -> int:
        """Requests without a good answer, for whatever reason."""
        return sum(self.all.errors.values())


def prepare(plan: Plan) -> Load:
    """The empty result of a phase."""
    window = max(_WINDOW_S, plan.duration_s / _WINDOWS)
    return Load(plan, {path: Latencies() for path in plan.paths}, Timeline(window))


async def run(client: ClientSession, load: Load) -> None:
    """Carry out the phase that `load` was prepared for, and fill it in.

    Raises:
        UserError: the device is gone.
    """
    clients = _Clients(client, load)
    lag = asyncio.create_task(_watch_timers(load.generator))
    cpu, started = time.process_time(), time.perf_counter()
    try:
        await clients.run()
        clients.last_answer = max(clients.last_answer, clients.end)
    finally:
        lag.cancel()
        load.elapsed_s = clients.last_answer - clients.started
        load.timeline.end(load.elapsed_s)
        wall = time.perf_counter() - started
        load.generator.cpu = (time.process_time() - cpu) / wall if wall else 0.0


class _Clients:
    """The connections of one phase. Times are perf_counter's."""

    def __init__(self, client: ClientSession, load: Load) -> None:
        self._client = client
        self._load = load
        self._plan = load.plan
        self._ordinals = count()
        self.started = self.last_answer = time.perf_counter()
        self.end = self.started + self._plan.duration_s

    async def run(self) -> None:
        workers = [asyncio.create_task(self._work()) for _ in range(self._plan.clients)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()

    async def _work(self) -> None:
        rate = self._plan.rate
        for number, due in self._open(rate) if rate else self._closed():
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            await self._ask(self._plan.paths[number % len(self._plan.paths)], due)

    def _closed(self) -> Iterator[tuple[int, float]]:
        while (now := time.perf_counter()) < self.end:
            yield next(self._ordinals), now

    def _open(self, rate: float) -> Iterator[tuple[int, float]]:
        """The requests that are due, each taken by the first client that is free for it."""
        while True:
            number = next(self._ordinals)
            due = self.started + number / rate
            if due >= self.end:
                return
            if time.perf_counter() > self.end + REQUEST_S:
                self._load.unsent += 1
                self._fail(self._plan.paths[number % len(self._plan.paths)], "not sent in time")
                continue
            yield number, due

    async def _ask(self, path: str, due: float) -> None:
        from aiohttp import ClientError

        try:
            async with self._client.get(self._plan.address + path) as answer:
                await answer.read()
        except asyncio.TimeoutError:
            why = f"no answer in {REQUEST_S:.0f} s"
        except (ClientError, OSError) as problem:
            why = type(problem).__name__
        else:
            why = "" if answer.status < 400 else f"status {answer.status}"
        now = time.perf_counter()
        if why and not why.startswith("status"):
            self._fail(path, why)
            if now - self.last_answer > SILENT_S:
                raise UserError(
                    f"{self._plan.address} has stopped answering ({why})",
                    f"see what it says: ./scons board-log, or its console; "
                    f"then: curl {self._plan.address}/health",
                )
            await asyncio.sleep(_BACK_OFF_S)
            return
        self.last_answer = now
        if why:
            self._fail(path, why)
            return
        for latencies in (self._load.paths[path], self._load.all):
            latencies.answered(now - due)
        self._load.timeline.answered(now - self.started, now - due)

    def _fail(self, path: str, why: str) -> None:
        self._load.paths[path].failed(why)
        self._load.all.failed(why)


async def _watch_timers(generator: Generator) -> None:
    """How late this process's timers are: what it cannot measure any better."""
    late = histogram()
    try:
        while True:
            due = time.perf_counter() + _LAG_EVERY_S
            await asyncio.sleep(_LAG_EVERY_S)
            late.record_value(min(LONGEST_US, max(1, round((time.perf_counter() - due) * 1e6))))
    finally:
        generator.lag_p99_ms = late.get_value_at_percentile(99) / 1000
