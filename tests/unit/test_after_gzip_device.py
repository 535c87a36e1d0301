# SPDX-License-Identifier: MIT
"""How a device is left once it has compressed its files."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import fields
from types import SimpleNamespace

import pytest
from viper.base.errors import UserError
from viper.base.schema import Record
from viper.ports import port
from viper.update import gzip_device
from viper.update.gzip_device import Outcome, Request

DONE = [Record({field.name: 1 for field in fields(Outcome)})]


class Device:
    """A device at its prompt, or with an application that runs; and what it does afterwards."""

    def __init__(self, runs: bool) -> None:
        self.interrupted = False
        self.serial = SimpleNamespace(timeout=1.0, device=self)
        self.state = "runs" if runs else "at its prompt"

    def enter(self) -> None:
        self.interrupted = self.state == "runs"
        self.state = "in the raw REPL"

    def leave(self) -> None:
        self.state = "at its prompt"


def start(serial: SimpleNamespace) -> None:
    serial.device.state = "runs"


@pytest.mark.parametrize(
    ("runs", "is_full", "afterwards"),
    [
        (False, False, "at its prompt"),
        (True, False, "runs"),
        (False, True, "runs"),
        (True, True, "runs"),
    ],
)
def test_what_ran_runs_again_and_an_idle_prompt_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, runs: bool, is_full: bool, afterwards: str
) -> None:
    """After a failure the application is started in any case."""

    def call(call: bytes) -> list[Record]:
        if is_full:
            raise UserError("the device's file system is full", "make room")
        return DONE

    device = Device(runs)
    monkeypatch.setattr(port, "lock", lambda url, **_: nullcontext())
    monkeypatch.setattr(gzip_device, "DeviceRepl", lambda url, again: nullcontext(device))
    monkeypatch.setattr(gzip_device, "ReplTransport", lambda repl: SimpleNamespace(call=call))
    monkeypatch.setattr(gzip_device, "start_application", start)
    with pytest.raises(UserError, match="full") if is_full else nullcontext():
        gzip_device._compress(Request("virtual", "viper://127.0.0.1:1", "/www", 1, 9))
    assert device.state == afterwards
