"""The smoke test: is what runs on a device what was built, and is it well?

Over the REPL it is asked which build it is and what memory it has; over HTTP it must serve a file,
serve a route of Python, and answer on the server's core while Python computes on the other.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

from viper.base.errors import UserError
from viper.device import http_page
from viper.device.repl import DeviceRepl
from viper.source.board import Board

STATIC, PYTHON, HEALTH = "/", "/perf/light/json", "/health"

_BUSY_MS = 400  # that Python computes, while the server must answer
_ASK = b"""\
import gc, json, machine, viperhttp
gc.collect()
print(json.dumps({
    "mac": machine.unique_id().hex(),
    "build": viperhttp.version().build_id,
    "memory": viperhttp.memory_stats(),
    "ring_in_psram": viperhttp.ipc_stats()["psram"],
}))
"""
_COMPUTE = b"""\
import time
end = time.ticks_add(time.ticks_ms(), %d)
while time.ticks_diff(end, time.ticks_ms()) > 0:
    pass
"""


@dataclass(frozen=True)
class Figures:
    """What a device tells of itself."""

    mac: str  # 12 hex digits, lower case
    build: str
    memory: dict[str, int]  # viperhttp.memory_stats()
    ring_in_psram: bool


def ask(repl: DeviceRepl) -> Figures:
    """What a device tells over its REPL.

    Raises:
        UserError: it runs another firmware, no server, or cannot be understood.
    """
    printed = repl.run(_ASK, "tell of itself").strip().splitlines()
    try:
        told: dict[str, Any] = json.loads(printed[-1])
        return Figures(**told)
    except (ValueError, TypeError, IndexError):
        raise UserError("the device's answer cannot be read", "see what it prints") from None


def problems(figures: Figures, board: Board, build: str) -> list[str]:
    """What is not as it should be, one line each."""
    found = []
    if figures.build != build:
        found.append(f"it runs build {figures.build}, and {build} was built")
    for name, least in asdict(board.smoke).items():
        free = figures.memory.get(name)
        if free is not None and free < least:
            found.append(f"{name} is {free} bytes, and {board.name} needs {least}")
    if board.psram_size and not figures.ring_in_psram:
        found.append("its rings are not in PSRAM, which the board has")
    return found


def check_http(address: str) -> list[str]:
    """What it does not serve as it should, one line each."""
    found = []
    for path, kind in ((STATIC, "text/html"), (PYTHON, "application/json")):
        status, content_type = http_page.head(address, path)
        if status != 200 or not content_type.startswith(kind):
            found.append(f"{path} is answered with {status} {content_type}, not 200 {kind}")
    return found


def check_cores(repl: DeviceRepl, address: str) -> list[str]:
    """Whether the server answers while Python computes."""
    answered: list[float] = []

    def ask_for_health() -> None:
        while not done.is_set():
            try:
                if http_page.head(address, HEALTH)[0] == 200:
                    answered.append(time.monotonic())
            except UserError:
                return

    done = threading.Event()
    asking = threading.Thread(target=ask_for_health)
    started = time.monotonic()
    asking.start()
    try:
        repl.run(_COMPUTE % _BUSY_MS, "compute")
    finally:
        ended = time.monotonic()
        done.set()
        asking.join()
    # The program starts some time after it is sent, and ends with its answer.
    busy = [at for at in answered if ended - _BUSY_MS / 1000 * 0.8 < at < ended]
    if ended - started < _BUSY_MS / 1000 or not busy:
        return [f"{HEALTH} is not answered while Python computes: is the server on its own core?"]
    return []
