# SPDX-License-Identifier: MIT
"""What is connected: boards on USB, virtual boards, ports of Windows that WSL may have, a lab."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from viper.base import process
from viper.base.errors import UserError
from viper.base.mac import Mac
from viper.flash import device_stamp
from viper.image import boot_order
from viper.image.app_image import AppDescription
from viper.ports import labgrid_client, port, usb_serial, usbipd, wsl
from viper.ports.usb_serial import UsbSerial
from viper.virtual_board import control, state

_ELF_FILES = ("app.elf", "firmware/micropython")  # in a board's build folder


@dataclass(frozen=True)
class Found:
    """A port, with what is known of the board on it.

    Args:
        port: what PORT= takes.
        mac: 12 hex digits, lower case; "" if it is not known, as with the others.
        chip: "esp32s3".
        flash_size: bytes.
        state: what a virtual board does, or why a port could not be asked.
        app: what it boots, None if that is not known, or nothing.
    """

    port: str
    mac: str = ""
    chip: str = ""
    flash_size: int | None = None
    state: str = ""
    app: AppDescription | None = None


def everything(boards: Iterable[Path]) -> list[Found]:
    """All ports. Boards on USB are asked, which starts their applications anew.

    Args:
        boards: the folders of the boards on this computer.
    """
    virtual = [_of_this_computer(folder) for folder in boards]
    connected = usb_serial.connected()
    with ThreadPoolExecutor(max_workers=max(1, len(connected))) as threads:
        real = list(threads.map(_real, connected))
    return [*real, *_of_windows(), *_of_a_lab(), *virtual]


def _of_this_computer(folder: Path) -> Found:
    """A virtual or an emulated board, seen from outside: its port may be in use."""
    try:
        known = state.load(folder)
        called = port.of_board(folder.name, known.maker if known else port.VIRTUAL)
        running = control.running(folder)
    except UserError as problem:
        return Found(port.of_board(folder.name), state=problem.what)
    assert known is not None
    app = None
    flash = folder / state.FLASH_FILE
    if flash.is_file():
        content = flash.read_bytes()
        app = boot_order.installed(
            lambda offset, size: content[offset : offset + size], known.flash_size
        )
    mode = running.mode if running else "off"
    if running is not None and mode == "application":
        mode = f"http://127.0.0.1:{running.http_port}/"
    return Found(called, known.mac, known.chip, known.flash_size, mode, app)


def _real(device: UsbSerial) -> Found:
    """A device on USB; only what boards usually carry is asked."""
    if not device.is_of_boards:
        kind = f"{device.vendor:04x}:{device.product:04x}"
        return Found(device.tty, state=f"not asked: USB {kind} is no board's")
    try:
        output = process.run_module("viper.device.probe", device.tty, f"PORT={device.tty}")
        return read_probe(device, output)
    except process.ToolFailed as failure:
        return Found(device.tty, device.mac, state=failure.last_line())


def read_probe(device: UsbSerial, output: str) -> Found:
    """What `viper.device.probe` has found; its answer is the last line."""
    answer = json.loads(output.strip().splitlines()[-1])
    if "error" in answer:
        return Found(device.tty, device.mac, state=answer["error"])
    app = None
    if answer["project"] is not None:
        elf = bytes.fromhex(answer["elf_sha256"])
        app = AppDescription(answer["project"], answer["version"], elf)
    chip = answer["chip"].lower().replace("-", "")
    return Found(device.tty, answer["mac"], chip, answer["flash_size"], "", app)


def _of_windows() -> list[Found]:
    """In WSL 2, the serial ports that Windows has and may hand over."""
    program = usbipd.find() if wsl.version() == 2 else None
    if program is None:
        return []
    return [
        Found(com, state=f"on Windows, {'shared' if device.is_shared else 'not shared'}")
        for device in usbipd.devices(program)
        if not device.is_attached
        for com in device.com_names
    ]


def _of_a_lab() -> list[Found]:
    """The places of the labgrid lab that this user works with, if there is one."""
    if "LG_COORDINATOR" not in os.environ:
        return []
    try:
        places = labgrid_client.places()
    except UserError as problem:
        return [Found("labgrid", state=problem.what)]
    return [
        Found(f"labgrid:{place.name}", state=f"held by {place.holder}" if place.holder else "free")
        for place in places
    ]


def builds(folder: Path) -> dict[bytes, str]:
    """What stands in the build folders: by the executable's SHA-256, the name of its board."""
    found = {}
    for record in sorted(folder.glob("*/build.json")):
        for elf in filter(Path.is_file, map(record.parent.joinpath, _ELF_FILES)):
            digest = hashlib.sha256(elf.read_bytes()).digest()
            found[digest] = record.parent.name
    return found


def origin(found: Found, known: dict[bytes, str], stamps: Path) -> str:
    """Where an application comes from, in a few words.

    Args:
        known: what `builds` found.
        stamps: the folder of the devices' stamps.
    """
    if found.app is None:
        return ""
    if found.app.elf_sha256 in known:
        return f"what is built here for {known[found.app.elf_sha256]}"
    if found.mac and device_stamp.load(stamps, Mac(found.mac)).parts:
        return "an earlier build from here"
    return "elsewhere"


def table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Lines of columns that are as wide as they need to be."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
