"""The device under test, as it is asked between phases: is it there, who is it, what it counts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from viper.base.errors import UserError

if TYPE_CHECKING:
    from aiohttp import ClientSession

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
    """

    def __init__(self, client: ClientSession, address: str) -> None:
        self.client = client
        self.address = address

    async def probe(self) -> None:
        """Wait until it says that it is well.

        Raises:
            UserError: it does not in time.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PROBE_S
        while True:
            try:
                await self._get("/health", deadline - loop.time())
                return
            except Unwell as problem:
                if loop.time() + _RETRY_S > deadline:
                    raise UserError(
                        f"{self.address}/health does not answer ({problem})",
                        f"is it on, and on this network? try: curl {self.address}/health",
                    ) from None
            await asyncio.sleep(_RETRY_S)

    async def identity(self) -> Identity:
        """Who it is.

        Raises:
            UserError: it is no ViperHTTP server.
        """
        text = await self._figures()
        labels = next((dict(_LABEL.findall(m[2])) for m in _series(text, "build_info")), None)
        if labels is None:
            raise UserError(
                f"{self.address}/metrics is not of ViperHTTP", "app.mount_metrics() serves it"
            )
        return Identity(
            mac=str((await self._told("/perf/device")).get("mac", "")),
            build=labels.get("build_id", ""),
            files=(await asyncio.to_thread(self._files))[:16],
            version=labels.get("version", ""),
            ring_memory=labels.get("ring_memory", ""),
        )

    def _files(self) -> str:
        """The digest of the device's files, which it tells to whoever has its token."""
        try:
            from viper.device.endpoints import DeviceHttp, Endpoint
        except ImportError:  # of a Python that has no more than the load generator needs
            return ""
        host = urlsplit(self.address).netloc
        device = DeviceHttp(Endpoint(host, "/perf/files", "questions", "./scons perf"))
        try:
            return device.status(lambda record: record.text("sha256"))
        except UserError:
            return ""
        finally:
            device.close()

    async def check(self, path: str) -> None:
        """Make sure that there is something at a path.

        Raises:
            UserError: there is not.
        """
        try:
            await self._get(path, PROBE_S)
        except Unwell as problem:
            raise UserError(
                f"{self.address}{path} cannot be measured ({problem})",
                "does the device run the demo, firmware/app? ./scons flash",
            ) from None

    async def snapshot(self) -> Snapshot:
        """What it counts, and the memory that it has left."""
        told = await self._told("/perf/device")
        counters = {
            name + (f"{{{labels}}}" if labels else ""): float(value)
            for name, labels, value in _SERIES.findall(await self._figures())
            if name != "build_info"
        }
        return Snapshot(free=dict(told.get("free", {})), counters=counters)

    async def _figures(self) -> str:
        try:
            return (await self._get("/metrics", PROBE_S)).decode(errors="replace")
        except Unwell as problem:
            raise UserError(
                f"{self.address}/metrics does not answer ({problem})",
                "app.mount_metrics() serves it",
            ) from None

    async def _told(self, path: str) -> dict[str, Any]:
        """What firmware/app/perf_routes.py tells; nothing of an application without it."""
        import json

        try:
            told = json.loads(await self._get(path, PROBE_S))
        except (Unwell, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    async def _get(self, path: str, seconds: float) -> bytes:
        from aiohttp import ClientError, ClientTimeout

        timeout = ClientTimeout(total=max(0.05, seconds))
        try:
            async with self.client.get(self.address + path, timeout=timeout) as answer:
                body = await answer.read()
        except (ClientError, OSError, asyncio.TimeoutError) as problem:
            raise Unwell(
                str(getattr(problem, "os_error", problem)) or "no answer in time"
            ) from None
        if answer.status != 200:
            raise Unwell(f"status {answer.status}")
        return body


class Unwell(Exception):
    """No answer, or not the one that was wanted; the message says which."""


def _series(text: str, name: str) -> list[re.Match[str]]:
    return [found for found in _SERIES.finditer(text) if found[1] == name]
