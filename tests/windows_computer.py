# SPDX-License-Identifier: MIT
"""A Windows computer with a board on COM14, seen from WSL: doubles, and the files of Linux."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from serial.tools import list_ports, list_ports_common
from viper.ports import usb_serial, usbipd

_DOUBLES = Path(__file__).with_name("doubles") / "windows"

WSL_1 = "Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com) (gcc version 5.4.0 (GCC) )"
WSL_2 = "Linux version 5.15.167.4-microsoft-standard-WSL2 (root@f9c826d3017f) (gcc (GCC) 11.2.0)"
LINUX = "Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0))"

_BOARD = {"vid": 0x303A, "pid": 0x1001, "serial": "F4:12:FA:5A:1B:2C", "location": "1-1:1.0"}


class WindowsComputer:
    """What the doubles know, in a folder that a test may change.

    Attributes:
        proc_version: stands for /proc/version.
        tty: the device file that the board gets once it is attached.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._programs = folder / "bin"
        self._programs.mkdir()
        self.proc_version = folder / "version"
        self.proc_version.write_text(WSL_2)
        self.dev = folder / "dev"
        self.dev.mkdir()
        self.tty = self.dev / "ttyACM0"
        (self.dev / ".unplugged").write_text(json.dumps(_BOARD))
        vhci = folder / "vhci"
        vhci.mkdir()
        self.sockets = vhci / "status"
        self.sockets.write_text("hub port sta spd dev      sockfd local_busid\n")
        monkeypatch.setenv("PATH", f"{self._programs}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setattr(usbipd, "VHCI", vhci)
        monkeypatch.setattr(list_ports, "comports", self._comports)
        watched = usb_serial.wait_for
        monkeypatch.setattr(
            usb_serial, "wait_for", lambda wanted, limit_s: watched(wanted, limit_s, dev=self.dev)
        )

    def install(self, *programs: str) -> None:
        """Put doubles of programs into PATH."""
        for name in programs:
            shutil.copy2(_DOUBLES / name, self._programs)

    def has_usbipd(self, state: str) -> None:
        """Install usbipd, with the board in the state of a recording."""
        self.install("usbipd.exe")
        shutil.copy2(_DOUBLES / f"state_{state}.json", self._programs / "state.json")

    def edit_state(self, old: str, new: str) -> None:
        """Change what usbipd says."""
        path = self._programs / "state.json"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def has_powershell(self) -> None:
        """Let Windows tell its serial ports."""
        self.install("powershell.exe", "serial_ports.json")

    def has_python(self, com14: str) -> None:
        """Install a Python with esptool; com14 is what pyserial opens in place of COM14."""
        self.install("python.exe", "wslinfo")
        (self._programs / "interpreter").write_text(sys.executable)
        (self._programs / "COM14").write_text(com14)

    def plug_in(self, place: str, name: str) -> Path:
        """Connect another board of the same kind to Linux."""
        path = self.dev / name
        path.write_text(json.dumps({**_BOARD, "serial": "", "location": place}))
        return path

    def _comports(self) -> list[list_ports_common.ListPortInfo]:
        found = []
        for path in self.dev.glob("tty*"):
            told = json.loads(path.read_text())
            info = list_ports_common.ListPortInfo(str(path))
            info.vid, info.pid = told["vid"], told["pid"]
            info.serial_number, info.location = told["serial"], told["location"]
            found.append(info)
        return found
