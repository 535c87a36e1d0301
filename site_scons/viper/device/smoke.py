# SPDX-License-Identifier: MIT
"""The smoke test: is what runs on a device what was built, and is it well?

Over HTTP it must serve a file, serve a route of Python, and answer on the server's core while
Python computes on the other; over the REPL it is asked which build it is and what memory it has.
What an application does not have is not checked, and said.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from viper.base import schema
from viper.base.app_paths import AppPaths
from viper.base.errors import UserError
from viper.base.mac import Mac
from viper.base.schema import Nonsense
from viper.device import http_page
from viper.device.repl import DeviceRepl
from viper.ports.reset_line import start_application
from viper.source.board import Board

_BUSY_MS = 400  # that Python computes, while the server must answer
_ASK = b"""\
import gc, json, machine, viperhttp
gc.collect()
try:
    in_psram = viperhttp.ipc_stats()["psram"]
except RuntimeError:
    in_psram = None
print(json.dumps({
    "mac": machine.unique_id().hex(),
    "build": viperhttp.version().build_id,
    "memory": viperhttp.memory_stats(),
    "ring_in_psram": in_psram,
}))
"""
_COMPUTE = b"""\
import time
end = time.ticks_add(time.ticks_ms(), %d)
while time.ticks_diff(end, time.ticks_ms()) > 0:
    pass
"""

_BAD_RESETS = ("panic", "watchdog", "brownout")
_HEALTH = "health"
_CHECKS = {  # by the path that each needs: what is checked, and what an application has it by
    "page": ("whether it serves files", "app.mount()"),
    "python": ("whether Python answers", "a route that app.toml names"),
    _HEALTH: ("whether both cores answer", "app.mount_health()"),
}
_NOT_FOUND = 404


@dataclass(frozen=True)
class Figures:
    """What a device tells of itself."""

    mac: Mac
    build: str
    memory: Mapping[str, int]  # viperhttp.memory_stats()
    ring_in_psram: bool | None  # None: no server runs that has rings
    reset_reason: str = ""  # why it started; "" where it does not tell


@dataclass(frozen=True)
class Verdict:
    """What was found out, and what could not be, a line each."""

    figures: Figures
    problems: list[str]
    unchecked: list[str]


def examine(
    repl: DeviceRepl, address: str, board: Board, build: str, paths: AppPaths, next_step: str
) -> Verdict:
    """Examine a device that serves; an application that had to be interrupted is started again.

    Args:
        repl: an open port.
        address: `http://host:port`.
        next_step: what to type when it does not serve again.

    Raises:
        UserError: it does not serve, or its REPL cannot be understood.
    """
    found, unchecked = check_http(address, paths)
    repl.enter()
    try:
        figures = ask(repl)
        if repl.interrupted:
            unchecked[_HEALTH] = "its program had to be interrupted; with app.start() it has not"
        elif _HEALTH not in unchecked:
            found += check_cores(repl, address + paths.health)
    finally:
        if repl.interrupted:
            start_application(repl.serial)
        else:
            repl.leave()
    if repl.interrupted:
        http_page.wait_until_answered(address, next_step)
    lines = [f"{_CHECKS[name][0]}: {why}" for name, why in unchecked.items()]
    return Verdict(figures, problems(figures, board, build) + found, lines)


def ask(repl: DeviceRepl) -> Figures:
    """What a device tells over its REPL.

    Raises:
        UserError: it runs another firmware, or cannot be understood.
    """
    printed = repl.run(_ASK, "tell of itself").strip().splitlines()
    try:
        told = schema.read(printed[-1] if printed else "")
        memory = told.record("memory")
        return Figures(
            mac=told.mac("mac"),
            build=told.word("build"),
            memory=memory.numbers(),
            reset_reason=memory.word("reset_reason") if "reset_reason" in memory else "",
            ring_in_psram=None if told.is_null("ring_in_psram") else told.truth("ring_in_psram"),
        )
    except Nonsense:
        raise UserError("the device's answer cannot be read", "see what it prints") from None


def problems(figures: Figures, board: Board, build: str) -> list[str]:
    """What is not as it should be, one line each."""
    found = []
    if figures.build != build:
        found.append(f"it runs build {figures.build}, and {build} was built")
    limits = asdict(board.smoke)
    for name, free in figures.memory.items():
        limit = "stack_free" if name.endswith("_stack_free") else name
        if free < limits.get(limit, 0):
            found.append(f"{name} is {free} bytes, and {board.name} needs {limits[limit]}")
    if figures.memory.get("stalls"):
        found.append(
            "its server stood still, and it was reset for that; what it printed says where"
        )
    if figures.reset_reason in _BAD_RESETS:
        found.append(f"it started last after a {figures.reset_reason}: ./scons monitor decodes one")
    if board.psram_size and figures.ring_in_psram is False:
        found.append("its rings are not in PSRAM, which the board has")
    return found


def check_http(address: str, paths: AppPaths) -> tuple[list[str], dict[str, str]]:
    """What it does not serve as it should, a line each; why checks could not be made, by path.

    Raises:
        UserError: nobody answers.
    """
    wrong: list[str] = []
    unchecked: dict[str, str] = {}
    http_page.head(address, "/")
    for name, (_, by) in _CHECKS.items():
        path = getattr(paths, name)
        status = http_page.head(address, path)[0] if path else _NOT_FOUND
        if status == _NOT_FOUND:
            missing = f"{path} is not served" if path else f"{paths.file} has no '{name}'"
            unchecked[name] = f"{missing}; an application has it by {by}"
        elif status >= 500:
            wrong.append(f"{path} is answered with {status}")
    return wrong, unchecked


def check_cores(repl: DeviceRepl, health: str) -> list[str]:
    """Whether the server answers while Python computes.

    Args:
        health: the address that it answers by itself.
    """
    answered: list[float] = []

    def ask_for_health() -> None:
        while not done.is_set():
            try:
                if http_page.head(health, "")[0] == 200:
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
        return [f"{health} is not answered while Python computes: is the server on its own core?"]
    return []
