# SPDX-License-Identifier: MIT
"""The double's program: see README.md. tests/qemu_double.py puts it where a QEMU is looked for."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "site_scons"))

from viper.base.chip_models import MODELS  # noqa: E402
from viper.image import boot_order  # noqa: E402
from viper.virtual_board.machine import Cause, Mode  # noqa: E402
from viper.virtual_board.reset_circuit import Boot  # noqa: E402
from viper.virtual_board.virtual_machine import VirtualMachine  # noqa: E402
from viper.virtual_chip.chip import Chip  # noqa: E402

VERSION = "QEMU emulator version 9.0.0 (esp_develop_9.0.0_20240606)"
MACHINES = {"esp32": "Espressif ESP32 machine", "esp32s3": "Espressif ESP32S3 machine"}
FLASH_SIZES = tuple(size << 20 for size in (2, 4, 8, 16))


class Refused(Exception):
    """What it says on standard error before it ends with status 1."""


class Chardev:
    """One end of `-chardev socket,id=...,fd=...`."""

    def __init__(self, options: str) -> None:
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter
        self._connection = socket.socket(fileno=int(_options(options)["fd"]))

    async def open(self) -> None:
        self.reader, self.writer = await asyncio.open_connection(sock=self._connection)


class Guest:
    """The chip, in the place of a board."""

    def __init__(self, arguments: argparse.Namespace, line: Chardev, monitor: Chardev) -> None:
        self._line, self._monitor = line, monitor
        self._is_paused = False
        properties = [_options(each) for each in arguments.globals]
        flash, efuses = (Path(_options(each)["file"]) for each in arguments.drives)
        if flash.stat().st_size not in FLASH_SIZES:
            raise Refused("Error: only 2, 4, 8, 16 MB flash images are supported")
        emulation = MODELS[arguments.machine].emulation
        assert emulation is not None
        straps = [p["value"] for p in properties if p["property"] == "strap_mode"]
        self._strapping = (
            Boot.DOWNLOAD if straps == [emulation.download_strap] else Boot.APPLICATION
        )
        at = emulation.mac_at
        chip = Chip(
            arguments.machine,
            efuses.read_bytes()[at : at + 6][::-1],
            flash.stat().st_size,
            int(arguments.memory.removesuffix("M")) << 20,
        )
        self._machine = VirtualMachine(self, chip, flash, self._http_port(arguments, flash))

    def _http_port(self, arguments: argparse.Namespace, flash: Path) -> int:
        """The port that leads to the guest; 0, which is any, of firmware without the driver."""
        content = flash.read_bytes()
        app = boot_order.installed(lambda at, size: content[at : at + size], len(content))
        forwarded = re.fullmatch(
            r"user,model=open_eth,hostfwd=tcp:127\.0\.0\.1:(\d+)-:80", arguments.nic
        )
        return int(forwarded[1]) if forwarded and app and app.overlay == "qemu" else 0

    async def run(self) -> None:
        self._machine.leave_reset(Cause.POWER_ON, self._strapping)
        while received := await self._line.reader.read(65536):
            self._machine.receive(received)

    def pause(self, paused: bool) -> None:
        """The commands stop and cont; what a reset has left waits for the latter."""
        self._is_paused = paused
        self._machine.pause(paused)
        if not paused and self._machine.mode is Mode.RESET:
            self._machine.leave_reset(Cause.POWER_ON, self._strapping)

    def reset(self, cause: Cause, *, by_guest: bool) -> None:
        self._machine.stop(Mode.RESET)
        reason = "guest-reset" if by_guest else "host-qmp-system-reset"
        self.tell({"event": "RESET", "data": {"guest": by_guest, "reason": reason}})
        if not self._is_paused:
            self._machine.leave_reset(cause, self._strapping)

    def tell(self, message: dict[str, Any]) -> None:
        self._monitor.writer.write(json.dumps(message).encode() + b"\r\n")

    # viper.virtual_board.machine.Surroundings

    def printed(self, data: bytes) -> None:
        self._line.writer.write(data)

    def answered(self, data: bytes) -> None:
        self._line.writer.write(data)

    def start_chip(self, cause: Cause) -> None:
        self.reset(cause, by_guest=True)

    def power_off(self) -> None:
        self._machine.stop(Mode.OFF)

    def close(self) -> None:
        self._machine.stop(Mode.OFF)
        self._machine.close()


async def serve_monitor(monitor: Chardev, guest: Guest, quit: asyncio.Event) -> None:
    """Greet, then obey."""
    guest.tell({"QMP": {"version": {"qemu": {"major": 9, "minor": 0, "micro": 0}}}})
    while line := await monitor.reader.readline():
        command = json.loads(line)["execute"]
        if command in ("cont", "qmp_capabilities", "quit", "stop", "system_reset"):
            guest.tell({"return": {}})
        else:
            problem = f"The command {command} has not been found"
            guest.tell({"error": {"class": "CommandNotFound", "desc": problem}})
        if command == "system_reset":
            guest.reset(Cause.POWER_ON, by_guest=False)
        if command in ("cont", "stop"):
            guest.pause(command == "stop")
        if command == "quit":
            quit.set()
    quit.set()


async def main(arguments: argparse.Namespace) -> None:
    """Be the emulator until it is told to end, or nobody is there."""
    chardevs = {_options(each)["id"]: Chardev(each) for each in arguments.chardevs}
    line = chardevs[arguments.serial.removeprefix("chardev:")]
    monitor = chardevs[_options(arguments.mon)["chardev"]]
    for chardev in chardevs.values():
        await chardev.open()
    quit = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, quit.set)
    guest = Guest(arguments, line, monitor)
    tasks = [
        asyncio.ensure_future(each)
        for each in (serve_monitor(monitor, guest, quit), guest.run(), quit.wait())
    ]
    await asyncio.wait(tasks[2:])
    guest.close()


def _options(text: str) -> dict[str, str]:
    """A list of QEMU's options, in which a comma is written twice; the first may have no name."""
    listed = [each.replace("\0", ",") for each in text.replace(",,", "\0").split(",")]
    return dict(each.split("=", 1) for each in listed if "=" in each)


def parse(words: list[str]) -> argparse.Namespace:
    """The command line, as far as it is used."""
    parser = argparse.ArgumentParser(prog="qemu-system-xtensa", allow_abbrev=False)
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-machine", dest="machine", default="none")
    parser.add_argument("-display", choices=("none",))
    parser.add_argument("-no-user-config", action="store_true")
    parser.add_argument("-m", dest="memory", default="0M")
    parser.add_argument("-drive", dest="drives", action="append", default=[])
    parser.add_argument("-global", dest="globals", action="append", default=[])
    parser.add_argument("-chardev", dest="chardevs", action="append", default=[])
    for name in ("nic", "serial", "mon"):
        parser.add_argument(f"-{name}")
    return parser.parse_args(words)


def start(words: list[str]) -> int:
    """What the program does; its exit status."""
    arguments = parse(words)
    if arguments.version:
        print(VERSION)
    elif arguments.machine == "help":
        print("Supported machines are:")
        for name, description in MACHINES.items():
            print(f"{name:<20} {description}")
    elif arguments.machine not in MACHINES:
        print(f'unsupported machine type: "{arguments.machine}"', file=sys.stderr)
        return 1
    else:
        if "QEMU_DOUBLE_CALLS" in os.environ:
            with Path(os.environ["QEMU_DOUBLE_CALLS"]).open("a") as calls:
                calls.write(json.dumps(words) + "\n")
        try:
            asyncio.run(main(arguments))
        except Refused as why:
            print(f"qemu-system-xtensa: {why}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(start(sys.argv[1:]))
