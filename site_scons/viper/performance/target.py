# SPDX-License-Identifier: MIT
"""The device under test, as it is asked between phases: is it there, who is it, what it counts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from viper.base import schema
from viper.base.app_paths import AppPaths
from viper.base.errors import UserError
from viper.base.printable import excerpt
from viper.base.schema import Nonsense, Record
from viper.device.endpoints import DeviceHttp, Endpoint

if TYPE_CHECKING:
    from aiohttp import ClientSession

T = TypeVar("T")

_ANSWER_SIZE = 16 << 20  # bytes: no device holds more
PROBE_S = 5.0  # what a healthy device may take to say so
_RETRY_S = 0.1
_SERIES = re.compile(r"^viperhttp_(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Identity:
    """Which device, and what it runs. A text is empty when the application does not tell."""

    mac: str  # 12 hex digits
    build: str  # of the firmware
    files: str  # digest of the files on the device
    version: str
    ring_memory: str  # "psram" or "sram"


@dataclass(frozen=True)
class Snapshot:
    """What a device says between two phases."""

    free: Mapping[str, int] = field(default_factory=dict)  # bytes by heap, garbage collected
    counters: Mapping[str, float] = field(default_factory=dict)  # series of /metrics


class Target:
    """A device behind an HTTP address.

    Args:
        client: what asks; it belongs to the caller.
        address: `http://host:port`.
        paths: where its application says what it says of itself.

    Attributes:
        untold: what it does not say, a line each.
    """

    def __init__(self, client: ClientSession, address: str, paths: AppPaths) -> None:
        self.client = client
        self.address = address
        self._paths = paths
        self.untold: list[str] = []

    async def probe(self) -> None:
        """Wait until it says that it is well; of one that never says so, until it answers.

        Raises:
            UserError: it does not in time.
        """
        path = self._paths.health or "/"
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PROBE_S
        while True:
            try:
                await self._get(path, deadline - loop.time())
                return
            except Unwell as problem:
                if isinstance(problem, NotServed):
                    self._note("whether it is well", path, "app.mount_health()")
                    return
                if loop.time() + _RETRY_S > deadline:
                    raise UserError(
                        f"{self.address}{path} does not answer ({problem})",
                        f"is it on, and on this network? try: curl {self.address}{path}",
                    ) from None
            await asyncio.sleep(_RETRY_S)

    async def identity(self) -> Identity:
        """Who it is, as far as it says so.

        Raises:
            UserError: what it says cannot be understood.
        """
        text = await self._figures()
        labels = next((dict(_LABEL.findall(m[2])) for m in _series(text, "build_info")), {})
        if text and not labels:
            self._note("its build", self._paths.metrics, "app.mount_metrics()")
        device = await self._told(self._paths.device, "its MAC and its memory")
        files = await self._told(self._paths.files, "which files it has")
        return Identity(
            mac=self._understood(lambda: device.mac("mac")) if device else "",
            build=excerpt(labels.get("build_id", "")),
            files=self._understood(lambda: files.digits("sha256", 64))[:16] if files else "",
            version=excerpt(labels.get("version", "")),
            ring_memory=excerpt(labels.get("ring_memory", "")),
        )

    async def check(self, path: str) -> None:
        """Make sure that there is something at a path.

        Raises:
            NotServed: there is not.
            UserError: what is there fails.
        """
        try:
            await self._get(path, PROBE_S)
        except NotServed:
            raise
        except Unwell as problem:
            raise self.unmeasurable(path, problem) from None

    def unmeasurable(self, path: str, problem: Exception) -> UserError:
        """The error for a path that is not there, or fails."""
        return UserError(
            f"{self.address}{path} cannot be measured ({problem})",
            f"does it serve this? curl -i {self.address}{path}; tools/perf_profiles.toml takes "
            "paths of your own, and a pipeline goes without by SKIP=perf",
        )

    async def snapshot(self) -> Snapshot:
        """What it counts, and the memory that it has left."""
        told = await self._told(self._paths.device, "its MAC and its memory")
        counters = {
            name + (f"{{{labels}}}" if labels else ""): _number(value)
            for name, labels, value in _SERIES.findall(await self._figures())
            if name != "build_info"
        }
        free = self._understood(lambda: told.record("free").numbers()) if told else {}
        return Snapshot(free=free, counters=counters)

    async def _figures(self) -> str:
        """The text of /metrics, "" if there is none."""
        content = await self._content(
            self._paths.metrics, "its build and its counters", "app.mount_metrics()"
        )
        return content.decode(errors="replace")

    async def _told(self, path: str, what: str) -> Record | None:
        """What an application tells as firmware/app/perf_routes.py does; None without it."""
        content = await self._content(path, what, f"a route that {self._paths.file} names")
        return self._understood(lambda: schema.read(content)) if content else None

    async def _content(self, path: str, what: str, by: str) -> bytes:
        """What is at a path, b"" if there is nothing, which is noted."""
        try:
            if not path:
                raise NotServed
            return await self._get(path, PROBE_S)
        except NotServed:
            self._note(what, path, by)
            return b""
        except Guarded:
            return await self._opened(path, what)
        except Unwell as problem:
            raise UserError(
                f"{self.address}{path} does not answer ({problem})",
                f"see what it says: curl -i {self.address}{path}",
            ) from None

    async def _opened(self, path: str, what: str) -> bytes:
        """What is at a path for those who have the device's token, b"" without it."""
        host = self.address.partition("//")[2]
        device = DeviceHttp(Endpoint(host, path, "questions", "./scons perf"))
        try:
            return await asyncio.to_thread(device.ask, "GET", "", limit=_ANSWER_SIZE)
        except UserError as why:
            self._tell(f"{what}: {why.what}; {why.next_step}")
            return b""
        finally:
            device.close()

    def _note(self, what: str, path: str, by: str) -> None:
        missing = f"{path} is not served" if path else f"{self._paths.file} names no path"
        self._tell(f"{what}: {missing}; an application has it by {by}")

    def _tell(self, line: str) -> None:
        if line not in self.untold:
            self.untold.append(line)

    def _understood(self, read: Callable[[], T]) -> T:
        try:
            return read()
        except Nonsense as why:
            raise UserError(
                f"the answer of {self.address} cannot be understood: {why}",
                "is it a device of this project?",
            ) from None

    async def _get(self, path: str, seconds: float) -> bytes:
        from aiohttp import ClientError, ClientTimeout

        timeout = ClientTimeout(total=max(0.05, seconds))
        try:
            async with self.client.get(self.address + path, timeout=timeout) as answer:
                body = bytearray()
                async for piece in answer.content.iter_any():
                    body += piece
                    if len(body) > _ANSWER_SIZE:
                        raise Unwell(f"it has more than {_ANSWER_SIZE} bytes")
        except (ClientError, OSError, asyncio.TimeoutError) as problem:
            raise Unwell(
                excerpt(str(getattr(problem, "os_error", problem))) or "no answer in time"
            ) from None
        if answer.status == 404:
            raise NotServed("status 404")
        if answer.status in (401, 403):
            raise Guarded(f"status {answer.status}")
        if answer.status != 200:
            raise Unwell(f"status {answer.status}")
        return bytes(body)


class Unwell(Exception):
    """No answer, or not the one that was wanted; the message says which."""


class NotServed(Unwell):
    """There is nothing at that path."""


class Guarded(Unwell):
    """What is at that path is not for everybody."""


def _number(text: str) -> float:
    """A figure of /metrics; 0 for what is none."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def _series(text: str, name: str) -> list[re.Match[str]]:
    return [found for found in _SERIES.finditer(text) if found[1] == name]
