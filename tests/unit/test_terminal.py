# SPDX-License-Identifier: MIT
"""Waiting for what a device says on its console."""

from __future__ import annotations

import os
import pty
import tty
from collections.abc import Iterator

import pytest
from viper.base.errors import UserError
from viper.device import terminal
from viper.device.terminal import Console


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, Console]]:
    """The far end of a device file, and a console on it."""
    monkeypatch.setattr(terminal, "_SILENT_S", 0.3)
    far_end, ours = pty.openpty()
    tty.setraw(ours)
    try:
        with Console(os.ttyname(ours), "PORT=device") as console:
            yield far_end, console
    finally:
        os.close(ours)
        os.close(far_end)


def test_a_device_that_was_not_reset_is_told_by_its_silence(device: tuple[int, Console]) -> None:
    with pytest.raises(UserError, match="has printed nothing for") as caught:
        device[1].address()
    assert "press of RESET" in caught.value.next_step


def test_the_last_line_that_is_no_address_is_told_without_its_codes(
    device: tuple[int, Console], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "START_S", 1.0)
    os.write(device[0], b"joining\r\n\x1b[31mno network\r\n")
    with pytest.raises(UserError, match="it printed last: ") as caught:
        device[1].address()
    assert "no network" in caught.value.what and "\x1b" not in caught.value.what


def test_the_address_that_an_application_prints(device: tuple[int, Console]) -> None:
    os.write(device[0], b"ViperHTTP at http://192.168.0.7/\r\n")
    assert device[1].address() == "http://192.168.0.7"
