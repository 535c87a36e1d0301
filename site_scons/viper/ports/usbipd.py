# SPDX-License-Identifier: MIT
"""usbipd-win, which hands USB devices of Windows to WSL 2.

What it prints is described in its sources (v5.3.0): `usbipd state` in Usbipd.Automation/Device.cs,
the description, with the COM names of all of a device's interfaces, in Usbipd/WindowsDevice.cs.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viper.base import process
from viper.base.errors import UserError
from viper.ports import wsl

VHCI = Path("/sys/devices/platform/vhci_hcd.0")
_INSTALLED_IN = "/mnt/c/Program Files/usbipd-win/usbipd.exe"
_UPDATE = "in Windows: winget upgrade usbipd"


@dataclass(frozen=True)
class Device:
    """A USB device of Windows that is plugged in.

    Args:
        bus_id: the hub and the socket, "4-2".
        description: what Windows calls it.
        instance_id: Windows' own name of it, the same whatever its COM name is.
        is_shared: whether WSL may have it.
        is_attached: whether WSL, or another machine, has it.
    """

    bus_id: str
    description: str
    instance_id: str
    is_shared: bool
    is_attached: bool

    @property
    def com_names(self) -> list[str]:
        """The serial ports among its interfaces: "COM14"."""
        return re.findall(r"\((COM\d+)\)", self.description)

    @property
    def place(self) -> str:
        """Where Linux has it, as in `usb_serial.UsbSerial.place`, "" while it is not attached."""
        return _place(self.bus_id)


def find() -> str | None:
    """usbipd's program, None where it is not installed."""
    return wsl.windows_program("usbipd.exe", _INSTALLED_IN)


def devices(program: str) -> list[Device]:
    """The devices that are plugged in.

    Raises:
        UserError: it fails, or answers something else.
    """
    try:
        return parse(wsl.run_on_windows(program, "state"))
    except process.ToolFailed as failure:
        raise UserError(f"usbipd.exe state failed: {failure.last_line()}", _UPDATE) from None
    except (ValueError, KeyError, TypeError):
        raise UserError("usbipd.exe state gave no list of devices", _UPDATE) from None


def parse(text: str) -> list[Device]:
    """Read what `usbipd state` prints.

    Raises:
        ValueError, KeyError, TypeError: it is something else.
    """
    listed: list[dict[str, Any]] = json.loads(text)["Devices"]
    return [
        Device(
            bus_id=str(entry["BusId"]),
            description=str(entry["Description"]),
            instance_id=str(entry["InstanceId"]),
            is_shared=entry["PersistedGuid"] is not None,
            is_attached=entry["ClientIPAddress"] is not None,
        )
        for entry in listed
        if entry["BusId"] is not None  # one that was shared once, and is not plugged in
    ]


def attach(program: str, device: Device) -> None:
    """Hand a shared device to WSL; its file appears some time later.

    Raises:
        UserError: it fails, with usbipd's own words.
    """
    try:
        wsl.run_on_windows(program, "attach", "--wsl", "--busid", device.bus_id)
    except process.ToolFailed as failure:
        said = re.findall(r"error: (.+)", failure.output) or [failure.last_line()]
        raise UserError(
            f"usbipd could not attach device {device.bus_id} to WSL: {said[-1].strip()}",
            "close what uses it in Windows, then try again",
        ) from None


def _place(bus_id: str) -> str:
    """The local name of an attached device, from the table of Linux' virtual USB controller.

    Its lines are `hub port sta spd dev sockfd local_busid` (drivers/usb/usbip/vhci_sysfs.c), with
    the remote hub and socket in dev: usbipd sends bus 4, socket 2 as 00040002.
    """
    hub, _, socket = bus_id.partition("-")
    if not (hub.isdecimal() and socket.isdecimal()):
        return ""  # behind a hub that usbipd cannot share
    wanted = f"{int(hub):04x}{int(socket):04x}"
    for table in sorted(VHCI.glob("status*")):
        for line in table.read_text(encoding="utf-8").splitlines():
            match line.split():
                case [_, _, _, _, device, _, place] if device == wanted:
                    return place
    return ""
