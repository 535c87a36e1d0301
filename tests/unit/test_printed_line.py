# SPDX-License-Identifier: MIT
"""Waiting for a line that an application prints, at a port that gives back what is written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from viper.device.repl import DeviceRepl

LONG_S = 60.0  # more than any of these takes


@pytest.fixture
def repl() -> Iterator[DeviceRepl]:
    with DeviceRepl("loop://", "again") as opened:
        yield opened


def test_the_first_whole_line_with_this_beginning(repl: DeviceRepl) -> None:
    repl.serial.write(b"booting\r\nnot Serving on x\r\nServing on http://192.168.0.7\r\nmore")
    assert repl.wait_for_line("Serving on ", LONG_S) == "Serving on http://192.168.0.7"


def test_a_line_that_has_not_ended_is_none(repl: DeviceRepl) -> None:
    repl.serial.write(b"Serving on http://192.168.0")
    assert repl.wait_for_line("Serving on ", 0.3) == ""


def test_nothing_is_printed(repl: DeviceRepl) -> None:
    assert repl.wait_for_line("Serving on ", 0.01) == ""
