# SPDX-License-Identifier: MIT
"""What ./scons ports shows of each port."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from viper.dev import port_list
from viper.dev.port_list import Found
from viper.flash import device_stamp
from viper.flash.device_stamp import Stamp
from viper.flash.sector_plan import Claim
from viper.image.app_image import AppDescription
from viper.ports import usb_serial, wsl
from viper.ports.usb_serial import UsbSerial
from windows_computer import WindowsComputer

MAC = "02aabbccddee"


def test_an_application_is_known_by_its_executable_or_its_device(tmp_path: Path) -> None:
    board = tmp_path / "build/VIRTUAL_N16R8"
    (board / "firmware").mkdir(parents=True)
    (board / "firmware/micropython").write_bytes(b"an executable")
    (board / "build.json").touch()
    (tmp_path / "build/never_finished").mkdir()
    known = port_list.builds(tmp_path / "build")
    stamps = tmp_path / "devices"
    device_stamp.save(stamps, Stamp(MAC, parts={"factory": Claim(b"", ())}))

    def origin(mac: str, elf: bytes) -> str:
        app = AppDescription("viperhttp", "1a2b", hashlib.sha256(elf).digest())
        return port_list.origin(Found("virtual", mac, app=app), known, stamps)

    assert origin(MAC, b"an executable") == "what is built here for VIRTUAL_N16R8"
    assert origin(MAC, b"another") == "an earlier build from here"
    assert origin("02ffffffffff", b"another") == "elsewhere"
    assert port_list.origin(Found("virtual", MAC), known, stamps) == ""


def test_what_carries_no_board_is_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A modem would take esptool's questions for commands."""
    modem = UsbSerial("/dev/ttyUSB3", "1-1", 0x12D1, 0x1001, "")
    monkeypatch.setattr(usb_serial, "connected", lambda: [modem])
    (found,) = port_list.everything([])
    assert found.port == "/dev/ttyUSB3" and "12d1:1001" in found.state


def test_ports_of_windows_are_listed_until_they_are_attached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = WindowsComputer(tmp_path, monkeypatch)
    monkeypatch.setattr(wsl, "version", lambda: 2)
    windows.has_usbipd("shared")
    states = {found.port: found.state for found in port_list.everything([])}
    assert states == {"COM1": "on Windows, not shared", "COM14": "on Windows, shared"}
    windows.has_usbipd("attached")
    assert [found.port for found in port_list.everything([])] == ["COM1"]


def test_a_broken_virtual_board_does_not_hide_the_others(tmp_path: Path) -> None:
    whole = {"name": "bench", "mac": MAC, "chip": "esp32s3", "flash_size": 16 << 20}
    for name, record in {"bench": whole, "broken": {}, "default": {"mac": MAC}}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "board.json").write_text(json.dumps(record))
    bench, *broken = port_list.everything(sorted(tmp_path.iterdir()))
    assert (bench.port, bench.mac, bench.state) == ("virtual:bench", MAC, "off")
    assert [found.port for found in broken] == ["virtual:broken", "virtual"]
    assert all("board.json" in found.state for found in broken)


def test_columns_are_as_wide_as_they_need_to_be() -> None:
    assert port_list.table([("PORT", "MAC"), ("virtual", "02:aa"), ("", "")]) == [
        "PORT     MAC",
        "virtual  02:aa",
        "",
    ]
