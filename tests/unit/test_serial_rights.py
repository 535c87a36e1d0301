# SPDX-License-Identifier: MIT
"""A serial device that this user may not open: what is told gives the right."""

from __future__ import annotations

import grp
import os
from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.ports import serial_rights, usb_serial
from viper.ports.usb_serial import UsbSerial

TTY = Path("/dev/ttyUSB0")
DIALOUT = 20


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """/dev/ttyUSB0, root's and dialout's, which this user is not in."""
    owned(monkeypatch, DIALOUT, 0o660)
    members(monkeypatch)
    monkeypatch.setattr(os, "access", lambda path, mode: path != TTY)
    monkeypatch.setattr(os, "getgroups", lambda: [1000])
    silabs = UsbSerial(str(TTY), "1-1", 0x10C4, 0xEA60, "0001")
    monkeypatch.setattr(usb_serial, "connected", lambda: [silabs])
    return monkeypatch


def owned(monkeypatch: pytest.MonkeyPatch, group: int, mode: int) -> None:
    status = os.stat_result((0o020000 | mode, 1, 1, 1, 0, group, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda self: status)


def members(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    dialout = grp.struct_group(("dialout", "x", DIALOUT, list(names)))
    monkeypatch.setattr(grp, "getgrgid", lambda gid: dialout)
    monkeypatch.setattr(grp, "getgrnam", lambda name: dialout)


def refusal() -> UserError:
    with pytest.raises(UserError) as caught:
        serial_rights.require(TTY, "PORT=/dev/ttyUSB0")
    return caught.value


def test_the_group_and_the_udev_rule_are_named(device: pytest.MonkeyPatch) -> None:
    error = refusal()
    assert error.what == "PORT=/dev/ttyUSB0: only the group dialout may use /dev/ttyUSB0"
    assert "sudo usermod -aG dialout $USER, then log in again" in error.next_step
    assert 'SUBSYSTEM=="tty", ATTRS{idVendor}=="10c4"' in error.next_step
    assert "/etc/udev/rules.d/" in error.next_step


def test_a_new_member_has_to_log_in_again(device: pytest.MonkeyPatch) -> None:
    monkeypatch = device
    monkeypatch.setattr(serial_rights, "_user_name", lambda uid: "me")
    members(monkeypatch, "me")
    error = refusal()
    assert "log in again" in error.next_step and "usermod" not in error.next_step


def test_without_a_group_to_join_the_rule_is_what_helps(device: pytest.MonkeyPatch) -> None:
    """A system without udev leaves a device to root alone; nobody is told to join root."""
    for group, mode in ((DIALOUT, 0o600), (0, 0o660)):
        owned(device, group, mode)
        error = refusal()
        assert "usermod" not in error.next_step
        assert "sudo chmod a+rw /dev/ttyUSB0" in error.next_step


def test_nothing_is_said_of_a_device_that_may_be_used(device: pytest.MonkeyPatch) -> None:
    device.setattr(os, "access", lambda path, mode: True)
    serial_rights.require(TTY, "PORT=/dev/ttyUSB0")
