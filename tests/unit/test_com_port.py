# SPDX-License-Identifier: MIT
"""PORT=COM14 in WSL: what usbipd, PowerShell and Windows' Python say decides how it is opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.ports import com_port, usb_serial
from windows_computer import LINUX, WSL_1, WindowsComputer


@pytest.fixture
def windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WindowsComputer:
    return WindowsComputer(tmp_path, monkeypatch)


def resolve(windows: WindowsComputer) -> str:
    return com_port.resolve("COM14", windows.proc_version)


def refusal(windows: WindowsComputer) -> UserError:
    with pytest.raises(UserError) as caught:
        resolve(windows)
    return caught.value


def test_shared_device_is_attached_and_its_file_awaited(
    windows: WindowsComputer, capsys: pytest.CaptureFixture[str]
) -> None:
    windows.has_usbipd("shared")
    assert resolve(windows) == str(windows.tty)
    assert f"COM14  device 4-2 of Windows, now {windows.tty}" in capsys.readouterr().out


def test_attached_device_is_told_from_others_of_its_kind(
    windows: WindowsComputer, capsys: pytest.CaptureFixture[str]
) -> None:
    windows.has_usbipd("attached")
    windows.plug_in("1-4", "ttyACM0")
    right = windows.plug_in("1-2", "ttyACM1")
    with windows.sockets.open("a") as table:
        table.write("hs  0000 006 002 00040001 000003 1-4\nhs  0001 006 002 00040002 000004 1-2\n")
    assert resolve(windows) == str(right)
    assert capsys.readouterr().out == ""


def test_device_that_is_not_shared_gets_the_lines_to_type(windows: WindowsComputer) -> None:
    windows.has_usbipd("not_shared")
    error = refusal(windows)
    assert "COM14 is device 4-2 of Windows, which is not shared" in error.what
    typed = [line.strip() for line in error.next_step.splitlines()[1:]]
    assert typed == [
        "usbipd list",
        "usbipd bind --busid 4-2",
        "usbipd attach --wsl --busid 4-2",
    ]
    assert "administrator" in error.next_step


def test_without_usbipd_its_installation_is_the_first_line(windows: WindowsComputer) -> None:
    windows.has_powershell()
    error = refusal(windows)
    assert "usbipd" in error.what
    assert error.next_step.splitlines()[1].strip() == "winget install usbipd"


def test_name_of_a_device_that_is_not_plugged_in_means_nothing(windows: WindowsComputer) -> None:
    """usbipd remembers a device that had COM14 once: it is in all recordings."""
    windows.has_usbipd("shared")
    windows.edit_state("Device (COM14), USB JTAG", "Device (COM15), USB JTAG")
    windows.has_powershell()
    # PowerShell knows that the device of 4-2 is COM14 now, whatever usbipd's description says.
    assert resolve(windows) == str(windows.tty)


def test_of_two_devices_with_one_name_windows_knows_the_right_one(
    windows: WindowsComputer,
) -> None:
    """A description may be as old as the first sharing of its device."""
    windows.has_usbipd("shared")
    windows.edit_state("CH340 (COM1)", "CH340 (COM14)")
    windows.has_powershell()
    assert resolve(windows) == str(windows.tty)


def test_port_that_windows_does_not_have(windows: WindowsComputer) -> None:
    windows.has_usbipd("shared")
    windows.has_powershell()
    with pytest.raises(UserError) as caught:
        com_port.resolve("COM3", windows.proc_version)
    assert "Windows has no COM3" in caught.value.what
    assert "USB Serial Device (COM14)" in caught.value.next_step


def test_port_that_is_no_usb_device(windows: WindowsComputer) -> None:
    windows.has_usbipd("shared")
    windows.edit_state("CH340 (COM1)", "CH340 (COM9)")
    windows.has_powershell()
    with pytest.raises(UserError, match="COM1 is no USB device"):
        com_port.resolve("COM1", windows.proc_version)


def test_device_without_a_driver_names_the_modules(
    windows: WindowsComputer, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows.has_usbipd("shared")
    (windows.dev / ".unplugged").unlink()
    monkeypatch.setattr(com_port, "_APPEAR_S", 0.1)
    assert "modprobe -a cdc_acm" in refusal(windows).next_step


def test_device_that_another_machine_has(
    windows: WindowsComputer, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows.has_usbipd("attached")
    monkeypatch.setattr(com_port, "_APPEAR_S", 0.1)
    error = refusal(windows)
    assert "another machine" in error.what and "usbipd detach --busid 4-2" in error.next_step


def test_failing_usbipd_is_quoted(windows: WindowsComputer) -> None:
    windows.has_usbipd("shared")
    # Shared when asked, and no longer when it is to be attached.
    attach = windows.dev.parent / "bin/usbipd.exe"
    attach.write_text(attach.read_text().replace('device["PersistedGuid"] is None', "True"))
    assert "Device is not shared" in refusal(windows).what


def test_answer_that_is_no_list(windows: WindowsComputer) -> None:
    windows.has_usbipd("shared")
    windows.edit_state('"Devices"', '"Nothing"')
    assert "winget upgrade usbipd" in refusal(windows).next_step


def test_wsl_1_has_a_file_for_each_port(windows: WindowsComputer) -> None:
    windows.proc_version.write_text(WSL_1)
    assert resolve(windows) == "/dev/ttyS14"


def test_plain_linux_has_no_such_port(windows: WindowsComputer) -> None:
    windows.proc_version.write_text(LINUX)
    error = refusal(windows)
    assert "WSL" in error.what and "./scons ports" in error.next_step


def test_a_board_is_known_by_its_place_or_its_mac() -> None:
    jtag = usb_serial.UsbSerial("/dev/ttyACM0", "1-1", 0x303A, 0x1001, "F4:12:FA:5A:1B:2C")
    own = usb_serial.UsbSerial("/dev/ttyACM1", "1-2", 0x303A, 0x4001, "F412FA5A1B2C0000")
    bridge = usb_serial.UsbSerial("/dev/ttyUSB0", "1-1", 0x10C4, 0xEA60, "0001")
    assert jtag.mac == own.mac == "f412fa5a1b2c" and bridge.mac == ""
    assert jtag.is_same(own) and jtag.is_same(bridge) and not own.is_same(bridge)
