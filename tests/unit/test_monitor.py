# SPDX-License-Identifier: MIT
"""The console of a board that leaves the bus in a reset; terminals stand for its serial port."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from usb_device import UsbDevice
from viper.device import monitor
from viper.device.backtrace import Decoder, Executable


class Seen(monitor.Screen):
    """What was shown, to wait for."""

    def __init__(self, obeys: bool = False) -> None:
        super().__init__(Decoder(Executable(Path("none"), Path("none"))), obeys)
        self.text = b""
        self.changed = threading.Condition()

    def _write(self, data: bytes) -> None:
        with self.changed:
            self.text += data
            self.changed.notify()

    def expect(self, text: bytes) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: text in self.text, 10), self.text


@pytest.fixture
def usb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[UsbDevice]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    usb = UsbDevice(monkeypatch)
    yield usb
    usb.unplug()


def test_a_stranger_commands_no_terminal_but_that_of_its_prompt() -> None:
    for obeys, shown in ((False, rb"\x1b]0;owned\x07"), (True, b"\x1b]0;owned\x07")):
        seen = Seen(obeys)
        seen.show(b"\x1b]0;owned\x07")
        assert seen.text == shown


def test_a_board_that_comes_back_as_another_device_is_shown_again(usb: UsbDevice) -> None:
    seen = Seen()
    keyboard, typed = os.pipe()
    watching = threading.Thread(
        target=monitor.watch,
        args=(usb.device.tty, "PORT=auto", seen),
        kwargs={"send_keys": False, "keyboard": keyboard},
    )
    watching.start()
    try:
        seen.expect(b"ends this")  # from here on it listens
        os.write(usb.far_end, b"before the reset\r\n")
        seen.expect(b"before the reset\r\n")
        usb.unplug()
        seen.expect(b"is gone; waiting for the board to come back")
        usb.plug_in(place="1-2", product=0x1001, serial="F4:12:FA:5A:1B:2C")
        seen.expect(f"it is back as {usb.device.tty}".encode())
        os.write(usb.far_end, b"after the reset\r\n")
        seen.expect(b"after the reset\r\n")
    finally:
        os.write(typed, b"\x1d")
        watching.join(10)
    assert not watching.is_alive()
    for descriptor in (keyboard, typed):
        os.close(descriptor)


def test_waiting_for_a_board_ends_by_a_key(usb: UsbDevice) -> None:
    seen = Seen()
    keyboard, typed = os.pipe()
    watching = threading.Thread(
        target=monitor.watch,
        args=(usb.device.tty, "PORT=auto", seen),
        kwargs={"send_keys": True, "keyboard": keyboard},
    )
    watching.start()
    os.write(typed, b"1+1")
    sent = b""
    while len(sent) < 5:
        sent += os.read(usb.far_end, 5)
    assert sent == b"\x02\r1+1"  # out of the raw REPL, a prompt, and what was typed
    usb.unplug()
    seen.expect(b"is gone")
    os.write(typed, b"\x03")
    watching.join(10)
    assert not watching.is_alive()
    usb.plug_in()
    for descriptor in (keyboard, typed):
        os.close(descriptor)
