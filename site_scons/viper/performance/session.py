# SPDX-License-Identifier: MIT
"""One run: every profile, RUNS times a burst and a long phase, and what guards them."""

from __future__ import annotations

import asyncio
import datetime
import platform
import re
import subprocess
import time
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from viper.base import app_paths, console
from viper.base.errors import UserError
from viper.performance import load, record
from viper.performance.profiles import Profile
from viper.performance.record import BURST, LONG, Record
from viper.performance.request import Request
from viper.performance.target import NotServed, Snapshot, Target

if TYPE_CHECKING:
    from aiohttp import ClientSession

T = TypeVar("T")

# What a phase may take beyond its duration: its last requests, and what is asked around it.
_PHASE_GRACE_S = 3 * load.REQUEST_S
_TO_BE_SERVED = "app.mount() serves files, and tools/perf_profiles.toml takes your own routes"
_CLOCK_JUMP_S = 2.0  # by which the two clocks may part during a phase


def new_record(request: Request, profiles: list[Profile]) -> Record:
    """An empty record of a run that starts now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return Record(
        tag=request.tag,
        started=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        address=address(request.host),
        parameters={
            "runs": request.runs,
            "burst_s": request.burst_s,
            "long_s": request.long_s,
            "profiles": {profile.name: profile.parameters() for profile in profiles},
        },
        host={
            "name": platform.node(),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
        },
        revision=_revision(request.project),
    )


def address(host: str) -> str:
    """The address of a host as people type it: a name, name:port, or a URL.

    Raises:
        UserError: it is none of these.
    """
    found = re.fullmatch(r"(?:http://)?([\w.-]+|\[[0-9a-fA-F:]+\])(:[0-9]{1,5})?/?", host)
    if not found:
        raise UserError(f"HOST={host} is no host", "give a name or an address: HOST=192.168.0.7")
    return f"http://{found[1]}{found[2] or ''}"


def measure(request: Request, profiles: list[Profile], into: Record) -> None:
    """Carry out a run, filling in the record phase by phase.

    Raises:
        UserError: the device cannot be reached, has died or restarted, a phase hangs, the whole
            takes too long, this computer's clock jumps. The record says why, and is no complete
            one.
        KeyboardInterrupt: Ctrl-C; likewise.
    """
    started = time.monotonic()
    try:
        asyncio.run(_Session(request, profiles, into).run())
        into.state = record.COMPLETE
    except UserError as problem:
        into.state, into.reason = record.FAILED, problem.what
        raise
    except KeyboardInterrupt:
        into.state, into.reason = record.PARTIAL, "interrupted"
        raise
    finally:
        into.duration_s = round(time.monotonic() - started, 3)


class _Session:
    def __init__(self, request: Request, profiles: list[Profile], into: Record) -> None:
        self._request = request
        self._profiles = profiles
        self._record = into

    async def run(self) -> None:
        """The whole run, within its limit of time."""
        from aiohttp import ClientSession, ClientTimeout, TCPConnector

        limit = self._request.hard_timeout_s
        client = ClientSession(
            connector=TCPConnector(limit=0),
            timeout=ClientTimeout(total=load.REQUEST_S),
            headers={"Accept-Encoding": "gzip"},
            auto_decompress=False,  # what is measured is the device
        )
        async with client:
            await within(
                limit,
                self._profile_by_profile(client),
                UserError(f"the run took longer than {limit:g} s", "give HARD_TIMEOUT_S= more"),
            )

    async def _profile_by_profile(self, client: ClientSession) -> None:
        target = Target(client, self._record.address, app_paths.load(self._request.app_file))
        await target.probe()
        self._record.device = record.device(await target.identity())
        for line in target.untold:
            console.step("PERF", f"not told: {line}")
        for profile in await self._served(target):
            for run in range(1, self._request.runs + 1):
                for kind in (BURST, LONG):
                    await self._phase(target, profile, run, kind)

    async def _served(self, target: Target) -> list[Profile]:
        """The profiles whose paths a device serves; of the others a line each.

        Raises:
            UserError: there is none of those that were named.
        """
        served, missing = [], {}
        for profile in self._profiles:
            try:
                for path in profile.paths:
                    await target.check(path)
                served.append(profile)
            except NotServed as problem:
                missing[profile.name] = (path, problem)
        if self._request.profiles and not served:
            raise target.unmeasurable(*next(iter(missing.values())))
        for name, (path, _) in missing.items():
            console.step("PERF", f"not measured: {name}: {path} is not served; {_TO_BE_SERVED}")
        return served

    async def _phase(self, target: Target, profile: Profile, run: int, kind: str) -> None:
        """Probe, measure, and keep what was measured."""
        name = f"{profile.name} run {run}/{self._request.runs} {kind}"
        is_burst = kind == BURST
        plan = load.Plan(
            address=target.address,
            paths=profile.paths,
            clients=profile.clients,
            duration_s=self._request.burst_s if is_burst else self._request.long_s,
            rate=None if is_burst else profile.rate,
        )
        limit = plan.duration_s + _PHASE_GRACE_S
        hangs = UserError(f"{name} hangs: it took longer than {limit:g} s", "try it again")
        self._record.phases.append(
            await within(limit, self._measured(target, plan, name, profile.name, run, kind), hangs)
        )

    async def _measured(
        self, target: Target, plan: load.Plan, name: str, profile: str, run: int, kind: str
    ) -> record.Phase:
        clock = _ClockCheck()
        await target.probe()
        before = await target.snapshot()
        measured = load.prepare(plan)
        heartbeat = asyncio.create_task(self._heartbeat(name, measured))
        try:
            await load.run(target.client, measured)
        except UserError as problem:
            raise UserError(f"{name}: {problem.what}", problem.next_step) from None
        finally:
            heartbeat.cancel()
        await target.probe()
        after = await target.snapshot()
        _check_uptime(name, before, after)
        clock.check(name)
        phase = record.phase(profile, run, kind, measured, before, after)
        console.step("PERF", f"{name}  {summary(phase)}")
        return phase

    async def _heartbeat(self, name: str, measured: load.Load) -> None:
        """One line now and then: it is alive, and how far it is."""
        started = time.perf_counter()
        while True:
            await asyncio.sleep(self._request.heartbeat_ms / 1000)
            console.note(
                f"  ... {name}: {time.perf_counter() - started:.0f} s of "
                f"{measured.plan.duration_s:g} s, {measured.all.requests} requests, "
                f"{measured.failures} errors"
            )


async def within(seconds: float, work: Coroutine[Any, Any, T], late: UserError) -> T:
    """Await `work`; raise `late` when it takes longer."""
    task = asyncio.create_task(work)
    try:
        done, _ = await asyncio.wait([task], timeout=seconds)
        if not done:
            raise late
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def summary(phase: record.Phase) -> str:
    """The figures of a phase on one line."""
    latency = phase.latency_ms
    errors = sum(phase.errors.values())
    text = f"{phase.rate:,.0f}/s  p50 {latency['p50']:.1f}  p99 {latency['p99']:.1f} ms"
    if errors:
        worst = max(phase.errors, key=phase.errors.__getitem__)
        text += f"  {errors} errors ({worst})"
    if phase.generator["bottleneck"]:
        text += "  limited by the load generator"
    return text


class _ClockCheck:
    """Sees the wall clock jump, or the computer sleep, while the monotonic clock measures."""

    def __init__(self) -> None:
        self._at_start = time.time() - time.monotonic()

    def check(self, name: str) -> None:
        jump = time.time() - time.monotonic() - self._at_start
        if abs(jump) > _CLOCK_JUMP_S:
            raise UserError(
                f"{name}: this computer's clock jumped by {jump:+.0f} s, or it slept",
                "start the run again",
            )


def _check_uptime(name: str, before: Snapshot, after: Snapshot) -> None:
    was, is_ = (s.counters.get("uptime_seconds", 0.0) for s in (before, after))
    if is_ < was:
        raise UserError(
            f"{name}: the device restarted {is_:.0f} s ago", "see what it says: ./scons board-log"
        )


def _revision(project: Path) -> str:
    """A project's commit, with `-dirty` if files differ from it; empty outside of git."""
    try:
        shown = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=project,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return shown.stdout.strip()
