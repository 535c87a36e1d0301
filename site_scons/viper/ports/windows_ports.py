# SPDX-License-Identifier: MIT
"""The serial ports that Windows has, asked through PowerShell."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from viper.base import process
from viper.ports import wsl

# A device with several interfaces has a port on one of them; usbipd knows it by their parent.
_ASK = (
    "ConvertTo-Json -Compress -InputObject @("
    "Get-CimInstance Win32_PnPEntity | Where-Object PNPClass -eq 'Ports' | ForEach-Object {"
    " [pscustomobject]@{Name = $_.Name; InstanceId = $_.PNPDeviceID; Parent = "
    "(Get-PnpDeviceProperty -InstanceId $_.PNPDeviceID -KeyName DEVPKEY_Device_Parent).Data} })"
)
_INSTALLED_IN = "/mnt/c/Windows/System32/WindowsPowerShell/v1.0/powershell.exe"


@dataclass(frozen=True)
class WindowsPort:
    """A serial port of Windows.

    Args:
        com: "COM14".
        name: what Windows calls it, "USB Serial Device (COM14)".
        instance_ids: Windows' own names of the interface and of the device that it belongs to.
    """

    com: str
    name: str
    instance_ids: tuple[str, ...]


def connected() -> list[WindowsPort] | None:
    """All that Windows has now; None if it cannot be asked."""
    program = wsl.windows_program("powershell.exe", _INSTALLED_IN)
    if program is None:
        return None
    try:
        return parse(wsl.run_on_windows(program, "-NoProfile", "-NonInteractive", "-Command", _ASK))
    except (process.ToolFailed, ValueError, KeyError, TypeError):
        return None


def parse(text: str) -> list[WindowsPort]:
    """Read what PowerShell answers.

    Raises:
        ValueError, KeyError, TypeError: it is something else.
    """
    found = []
    for entry in json.loads(text):
        com = re.search(r"\((COM\d+)\)", str(entry["Name"]))
        if com:
            ids = tuple(str(entry[key]).casefold() for key in ("InstanceId", "Parent"))
            found.append(WindowsPort(com[1], str(entry["Name"]), ids))
    return found
