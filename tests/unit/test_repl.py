# SPDX-License-Identifier: MIT
"""The raw REPL at the end of a line that delivers late, in pieces, and not all."""

from __future__ import annotations

import os
import pty
import select
import threading
import tty
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from viper.base.errors import UserError
from viper.device import repl
from viper.device.repl import DeviceRepl

BANNER = b"raw REPL; CTRL-B to exit\r\n>"
WINDOW = 32


@dataclass
class Device:
    """A raw REPL at the far end of a pseudo terminal: a program's answer is the program itself."""

    end: int
    name: str
    silent: list[bool] = field(default_factory=list)  # of each paste, whether its signs are lost
    before: bytes = b""  # what comes late, before a program is taken
    behind: bytes = b""  # what the application prints after an answer
    answers: list[bytes] = field(default_factory=list)  # in place of the answers that follow
    works_until_asked: bool = False  # before it answers
    ran: list[bytes] = field(default_factory=list)

    def live(self) -> None:
        try:
            while byte := self._next():
                if byte == b"\x01":
                    self._say(BANNER)
                elif byte == b"\x05" and self._next() + self._next() == b"A\x01":
                    self._paste()
        except OSError:
            pass  # the test is over

    def _paste(self) -> None:
        self._say(self.before + b"R\x01" + bytes([WINDOW, 0]) + b"\x01")
        is_silent = self.silent.pop(0) if self.silent else False
        program = b""
        while (byte := self._next()) not in (b"\x04", b"\x03"):
            program += byte
            if len(program) % WINDOW == 0 and not is_silent:
                self._say(b"\x01")
        self._say(b"\x04")
        if byte == b"\x03":
            self._say(b"\x04KeyboardInterrupt:\r\n\x04>")
            return
        self.ran.append(program)
        if self.works_until_asked:
            select.select([self.end], [], [])
        answer = self.answers.pop(0) if self.answers else program + b"\x04\x04>"
        self._say(answer + self.behind)

    def _next(self) -> bytes:
        return os.read(self.end, 1)

    def _say(self, what: bytes) -> None:
        for at in range(0, len(what), 3):
            os.write(self.end, what[at : at + 3])


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[Device]:
    monkeypatch.setattr(repl, "_QUIET_S", 0.5)
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    device = Device(ours, os.ttyname(theirs))
    thread = threading.Thread(target=device.live, daemon=True)
    thread.start()
    try:
        yield device
    finally:
        os.close(theirs)  # which ends the read of the thread
        thread.join(30)
        os.close(ours)


@pytest.fixture
def line(device: Device) -> Iterator[DeviceRepl]:
    with DeviceRepl(device.name, again="again") as line:
        line.enter()
        yield line


PROGRAM = b"print('a program of more than one window, as most are: %d')" * 3


def test_what_the_application_prints_behind_an_answer_is_no_part_of_it(
    device: Device, line: DeviceRepl
) -> None:
    device.behind = b"request 1\r\nrequest 2\r\n"
    for program in (b"first", b"second"):
        assert line.execute(program) == (program, "")


def test_an_earlier_answer_that_comes_late_is_skipped(device: Device, line: DeviceRepl) -> None:
    device.before = BANNER * 2
    assert line.execute(PROGRAM) == (PROGRAM, "")


def test_a_program_that_gets_stuck_is_sent_again_and_runs_once(
    device: Device, line: DeviceRepl
) -> None:
    device.silent = [True, True]  # so that each waits for the other
    assert line.execute(PROGRAM) == (PROGRAM, "")
    assert device.ran == [PROGRAM]


def test_silence_is_no_end_while_the_device_works(device: Device, line: DeviceRepl) -> None:
    device.works_until_asked = True
    for program in (b"first", b"second"):
        assert line.execute(program) == (program, "")


def test_an_answer_of_which_a_part_is_lost_is_none(device: Device, line: DeviceRepl) -> None:
    device.answers = [b"the first half of an answer"]
    with pytest.raises(UserError, match=r"stopped answering \(a part of its answer is lost\)"):
        line.execute(PROGRAM)
    assert device.ran == [PROGRAM]


def test_a_line_on_which_nothing_comes_whole_is_told(device: Device, line: DeviceRepl) -> None:
    device.silent = [True] * 9
    with pytest.raises(UserError, match="REPL stopped answering"):
        line.execute(PROGRAM)
    assert device.ran == []
