# SPDX-License-Identifier: MIT
"""An application that ends as it starts, told by what the device prints."""

from __future__ import annotations

import pytest
from viper.device import startup

TRACEBACK = (
    "Traceback (most recent call last):\r\n"
    '  File "main.py", line 3, in <module>\r\n'
    '  File "/lib/site.py", line 14, in start\r\n'
    "ImportError: no module named 'sensor'\r\n"
)
PROMPT = 'MicroPython v1.27.0 on 2026-01-01; ESP32S3\r\nType "help()" for more.\r\n>>> '
TOLD = (
    '  File "main.py", line 3, in <module>\n'
    '  File "/lib/site.py", line 14, in start\n'
    "ImportError: no module named 'sensor'"
)


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        (TRACEBACK + PROMPT, TOLD),
        (TRACEBACK + ">>> ", TOLD),
        ("x" * 20_000 + TRACEBACK + PROMPT, TOLD),
        (TRACEBACK + PROMPT + "print(1)\r\n1\r\n", ""),  # somebody has gone on
        (TRACEBACK + "serving\r\n", ""),  # it was caught
        (PROMPT, ""),
        ("", ""),
    ],
)
def test_the_traceback_that_it_has_ended_with(printed: str, told: str) -> None:
    assert startup.ended_by(printed.encode()) == told


def test_the_error_names_the_innermost_line(capsys: pytest.CaptureFixture[str]) -> None:
    error = startup.failed(TOLD, "mend it")
    assert error.what == (
        "the application ends as it starts: /lib/site.py line 14: "
        "ImportError: no module named 'sensor'"
    )
    assert error.next_step == "mend it"
    shown = capsys.readouterr()
    assert (shown.out + shown.err).splitlines() == [f"  | {line}" for line in TOLD.splitlines()]


def test_an_error_without_a_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert startup.failed("MemoryError", "").what.endswith("as it starts: MemoryError")
