# SPDX-License-Identifier: MIT
"""What this machine has of what the graph needs, and what mends it. It reads, and changes nothing.

Each check gives findings, one to a line. `missing` is what the virtual board or the given board
cannot do without; `warning` is what something else will miss.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from viper.base import packages as installed
from viper.base import process
from viper.base.console import human_size
from viper.base.errors import UserError
from viper.emulator import program as qemu
from viper.ports import labgrid_client, port, serial_rights, usb_serial, usbipd, wsl
from viper.source import esp_idf

OK, WARNING, MISSING = "ok", "warning", "missing"

_OLDEST, _NEWEST = (3, 10), (3, 13)  # of Python
_DISK_NEEDED = 500 * 10**6  # bytes: .venv, MicroPython and one board's outputs
_DISK_WANTED = 2 * 10**9  # with the test suite's copies
_FREE = "./scons -c removes this board's outputs"

# What a program does here, and Debian's package of it.
_NEEDED = {
    "gcc": ("compiles MicroPython", "gcc"),
    "make": ("compiles MicroPython", "make"),
    "git": ("fetches MicroPython", "git"),
    "setpriv": ("ends tools with the build that started them", "util-linux"),
}
_WANTED = {
    "ccache": ("compiles once for all clones", "ccache"),
    "clang": ("fuzzes the server: ./scons fuzz", "clang"),
    "cmake": ("checks the ESP32's build: ./scons test", "cmake"),
    "fsck.fat": ("checks the images: ./scons test", "dosfstools"),
    "chromium": ("opens the pages: ./scons test", "chromium"),
    "dot": ("draws the graph: ./scons graph", "graphviz"),
    "wrk": ("loads the server: ./scons bench", "wrk"),
    "nix-instantiate": ("evaluates the flake: ./scons test", "nix-bin"),
    "redis-server": ("shares compilations: ./scons test-long", "redis-server"),
    "nginx": ("is a peer: ./scons bench", "nginx-light"),
    "lighttpd": ("is a peer: ./scons bench", "lighttpd"),
}


@dataclass(frozen=True)
class Finding:
    """A line of the report.

    Attributes:
        subject: what was looked at, in a word.
        state: OK, WARNING or MISSING.
        told: what there is, or what is wrong.
        mend: the command that mends it; "" if it is ok.
    """

    subject: str
    state: str
    told: str
    mend: str = ""


def python(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """The interpreter that runs the graph."""
    told = ".".join(map(str, version))
    if version < _OLDEST:
        return Finding("python", MISSING, f"{told}, 3.10 is needed", "sudo apt install python3")
    if version > _NEWEST:
        return Finding(
            "python", WARNING, f"{told} was never tried", "sudo apt install python3.13, if it fails"
        )
    return Finding("python", OK, told)


def packages(lock: Path) -> Finding:
    """The packages of a lock, by version."""
    wrong = installed.wrong(lock)
    if wrong:
        return Finding("packages", MISSING, f"{lock}: {wrong[0]}", "rm -r .venv, then ./scons")
    return Finding("packages", OK, f"{len(installed.pinned(lock))} as in {lock}")


def programs() -> Iterator[Finding]:
    """The programs that the graph and the tests drive."""
    for table, state in ((_NEEDED, MISSING), (_WANTED, WARNING)):
        for program, (purpose, package) in table.items():
            found = shutil.which(program) or shutil.which(f"/usr/sbin/{program}")
            if found:
                yield Finding(program, OK, found)
            else:
                yield Finding(program, state, f"it {purpose}", f"sudo apt install {package}")


def disk(free: int) -> Finding:
    """The room where the project stands, in bytes."""
    told = f"{human_size(free)} free"
    if free < _DISK_NEEDED:
        return Finding("disk", MISSING, f"{told}, {human_size(_DISK_NEEDED)} needed", _FREE)
    if free < _DISK_WANTED:
        return Finding("disk", WARNING, f"{told}, tests take {human_size(_DISK_WANTED)}", _FREE)
    return Finding("disk", OK, told)


def idf(given: str | None, own: Path, wanted: str, *, is_needed: bool) -> Finding:
    """ESP-IDF, which real boards are built with; its tools are tried."""
    state = MISSING if is_needed else WARNING
    try:
        found = esp_idf.check(
            esp_idf.find(given, os.environ, own, wanted), wanted, any_version=False
        )
        esp_idf.take_environment(found)
    except UserError as problem:
        return Finding("ESP-IDF", state, problem.what, problem.next_step)
    return Finding("ESP-IDF", OK, f"{found.version} in {found.path}")


def emulator(
    given: str | None, idf: esp_idf.Installation | None, chip: str, *, is_needed: bool
) -> Finding:
    """The emulator of PORT=qemu.

    Args:
        given: QEMU=<program>.
        idf: ESP-IDF, if there is one.
        chip: which it is to be.
    """
    try:
        found = qemu.check(qemu.find(given, idf.tools if idf else None), chip)
    except UserError as problem:
        state = MISSING if is_needed else WARNING
        return Finding("QEMU", state, problem.what, problem.next_step)
    other = qemu.unlike(found, idf.path) if idf else ""
    if other:
        return Finding("QEMU", WARNING, other, "./scons idf installs that one")
    return Finding("QEMU", OK, f"{found.version} is {found.path}")


def serial_ports(connected: Iterable[usb_serial.UsbSerial]) -> Iterator[Finding]:
    """Every serial device on USB, and the right to open it."""
    devices = list(connected)
    if not devices:
        yield Finding("serial", OK, "no board on USB; PORT=virtual needs none")
    for device in devices:
        try:
            serial_rights.require(Path(device.tty), device.tty)
        except UserError as problem:
            yield Finding("serial", WARNING, problem.what, problem.next_step)
        else:
            yield Finding("serial", OK, f"{device.tty} can be opened")


def windows(proc_version: Path = wsl.PROC_VERSION) -> Finding:
    """WSL, and what hands boards over from Windows."""
    version = wsl.version(proc_version)
    if version is None:
        return Finding("WSL", OK, "this is no WSL")
    if version == 2 and usbipd.find() is None:
        return Finding(
            "WSL", WARNING, "WSL 2 without usbipd: no COM port", "in Windows: winget install usbipd"
        )
    return Finding("WSL", OK, f"WSL {version}")


def lab(place: str | None) -> Finding:
    """A place of the labgrid lab, or the lab itself, as it stands; nothing is acquired."""
    try:
        if place is None:
            told = f"{len(labgrid_client.places())} places at {labgrid_client.coordinator()}"
            return Finding("labgrid", OK, told)
        seen = labgrid_client.look(place)
    except UserError as problem:
        state = WARNING if place is None else MISSING
        return Finding("labgrid", state, problem.what, problem.next_step)
    if seen.holder:
        wait = labgrid_client.how_to_wait(seen)
        return Finding("labgrid", WARNING, f"{seen.name} is acquired by {seen.holder}", wait)
    return Finding("labgrid", OK, f"{seen.name} is free")


def page_port(number: int, ours: Mapping[int, str]) -> Finding:
    """The port of the virtual board's page on this computer.

    Args:
        ours: what running boards on this computer are called, by the port of their page.
    """
    if number in ours:
        return Finding("page", OK, f"{ours[number]} serves on {number}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError as problem:
            told = f"port {number}: {problem.strerror}"
            return Finding("page", WARNING, told, "./scons flash HTTP_PORT=8088")
    return Finding("page", OK, f"port {number} is free")


def device(named: port.Port) -> Finding:
    """What the board at a port answers; asking starts its application anew."""
    called = f"PORT={named.text}"
    try:
        output = process.run_module("viper.device.probe", port.find(named), called)
    except UserError as problem:
        return Finding("device", MISSING, problem.what, problem.next_step)
    except process.ToolFailed as problem:
        return Finding("device", MISSING, f"{called}: {problem.last_line()}", "./scons ports")
    answer = json.loads(output.strip().splitlines()[-1])
    if "error" in answer:
        return Finding("device", MISSING, answer["error"], "./scons ports")
    return Finding("device", OK, f"{called}: {answer['chip']}, {answer['mac']}")
