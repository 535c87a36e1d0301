# SPDX-License-Identifier: MIT
"""COM14 from WSL: the device file or the address by which Linux gets at a port of Windows."""

from __future__ import annotations

from pathlib import Path

from viper.base import console
from viper.base.errors import UserError
from viper.ports import com_bridge, usb_serial, usbipd, windows_ports, wsl

_APPEAR_S = 10.0  # from usbipd's attach to the device file


def resolve(com: str, proc_version: Path = wsl.PROC_VERSION) -> str:
    """What pyserial opens for a port of Windows: a device file, or rfc2217://host:port.

    Args:
        com: "COM14".
        proc_version: the kernel's own words about itself.

    Raises:
        UserError: it cannot be had; with what to type in Windows.
    """
    if require_wsl(com, proc_version) == 1:
        return f"/dev/ttyS{com[3:]}"
    program = usbipd.find()
    device = _device(program, com)
    if program is not None and device is not None and (device.is_shared or device.is_attached):
        return _attached(program, device, com)
    python = com_bridge.interpreter()
    if python is not None:
        return com_bridge.start(python, com)
    raise _to_type(program, device, com)


def require_wsl(com: str, proc_version: Path = wsl.PROC_VERSION) -> int:
    """The version of WSL that this is; the arguments as above.

    Raises:
        UserError: this is none.
    """
    system = wsl.version(proc_version)
    if system is None:
        raise UserError(
            f"PORT={com} is a name of Windows and means something in WSL, not on this Linux",
            "./scons ports lists what is connected, /dev/ttyUSB0 or /dev/ttyACM0",
        )
    return system


def _device(program: str | None, com: str) -> usbipd.Device | None:
    """The USB device behind a port; None if usbipd is not there to tell.

    usbipd keeps the description that a device had when it was first shared. Where that leaves a
    doubt, Windows knows what has the name now.
    """
    devices = [] if program is None else usbipd.devices(program)
    called = [device for device in devices if com in device.com_names]
    if len(called) == 1:
        return called[0]
    ports = windows_ports.connected()
    if ports is None:
        return None
    port = next((port for port in ports if port.com == com), None)
    if port is None:
        have = ", ".join(port.name for port in ports) or "no serial port at all"
        raise UserError(f"PORT={com}: Windows has no {com}", f"plug the board in; it has {have}")
    ids = port.instance_ids
    return next((device for device in devices if device.instance_id.casefold() in ids), None)


def _attached(program: str, device: usbipd.Device, com: str) -> str:
    """The file of a device that WSL has, or may have."""
    if not device.is_attached:
        usbipd.attach(program, device)
    found = usb_serial.wait_for(lambda serial: serial.place == device.place, _APPEAR_S)
    if found is not None:
        if not device.is_attached:
            console.step("ATTACH", f"{com}  device {device.bus_id} of Windows, now {found.tty}")
        return found.tty
    if device.is_attached and not device.place:
        raise UserError(
            f"PORT={com}: device {device.bus_id} of Windows is attached to another machine",
            f"take it back in Windows: usbipd detach --busid {device.bus_id}",
        )
    raise UserError(
        f"PORT={com}: device {device.bus_id} of Windows is attached, and has no /dev/tty... here "
        f"after {_APPEAR_S:.0f} s: its driver is not loaded",
        "sudo modprobe -a cdc_acm cp210x ch341 ftdi_sio; if these are missing, wsl --update",
    )


def _to_type(program: str | None, device: usbipd.Device | None, com: str) -> UserError:
    """The error of a port that cannot be had yet."""
    if program is not None and device is None:
        return UserError(
            f"PORT={com} is no USB device that usbipd can share",
            "give Windows' Python esptool, which can serve it: py -m pip install esptool",
        )
    if device is None:
        what = f"PORT={com} needs usbipd in Windows, which is not installed"
        bus_id, install = f"<BUSID of {com}>", ["winget install usbipd"]
    else:
        what = f"PORT={com} is device {device.bus_id} of Windows, which is not shared with WSL"
        bus_id, install = device.bus_id, []
    lines = [
        "in PowerShell as administrator, then the same again here:",
        *install,
        "usbipd list",
        f"usbipd bind --busid {bus_id}",
        f"usbipd attach --wsl --busid {bus_id}",
    ]
    return UserError(what, "\n    ".join(lines))
