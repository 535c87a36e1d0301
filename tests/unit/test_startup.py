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


BOOT = "ESP-ROM:esp32s3-20210327\r\nrst:0x3 (SW),boot:0x8 (SPI_FAST_FLASH_BOOT)\r\n"
RAW = "raw REPL; CTRL-B to exit\r\n>"
SOFT = "MPY: soft reboot\r\n"


def told(printed: str) -> str:
    ended = startup.ending(printed.encode())
    return ended.traceback or ended.error("").what if ended else ""


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        (TRACEBACK + PROMPT, TOLD),
        (TRACEBACK + ">>> ", TOLD),
        ("x" * 20_000 + TRACEBACK + PROMPT, TOLD),
        ("hello\r\n" + PROMPT, "the application ends as it starts, and serves nothing"),
        (TRACEBACK + PROMPT + "print(1)\r\n1\r\n", ""),  # somebody has gone on
        (TRACEBACK + "serving\r\n", ""),  # it was caught
        ("serving\r\n", ""),
        ("", ""),
    ],
)
def test_what_it_has_ended_with(printed: str, said: str) -> None:
    assert told(printed) == said


@pytest.mark.parametrize("restart", [SOFT, BOOT])
def test_an_application_that_never_comes_up(restart: str) -> None:
    again = "the application restarts the device again and again"
    assert told(restart * 3) == again
    assert told(("once more\r\n" + restart) * 3) == f"{again}; it printed last: once more"
    assert told(restart * 2 + "joining the network\r\n") == ""


@pytest.mark.parametrize("begun", [BOOT.replace("0x3 (SW)", "0x1 (POWERON)"), ">>> ", RAW])
def test_what_others_restart_is_no_end_of_the_application(begun: str) -> None:
    assert told(SOFT * 9 + begun + SOFT) == ""
    assert told((begun + SOFT) * 9) == ""


def test_an_end_must_stand_for_a_while_until_it_is_believed() -> None:
    for printed in (TRACEBACK + PROMPT, SOFT * 3, PROMPT):
        started = startup.Startup("", asked=True)
        started.look(printed.encode())  # from before a reset that begins just now
        started.look(b"ESP-ROM:esp32s3-20210327\r\n")
        started.look(printed.encode())


def test_the_error_names_the_innermost_line(capsys: pytest.CaptureFixture[str]) -> None:
    ended = startup.ending((TRACEBACK + PROMPT).encode())
    assert ended is not None
    error = ended.error("mend it")
    assert error.what == (
        "the application ends as it starts: /lib/site.py line 14: "
        "ImportError: no module named 'sensor'"
    )
    assert error.next_step == "mend it"
    shown = capsys.readouterr()
    assert (shown.out + shown.err).splitlines() == [f"  | {line}" for line in TOLD.splitlines()]


def test_an_error_without_a_place() -> None:
    raised = "Traceback (most recent call last):\n  in main\nMemoryError: \n>>> "
    ended = startup.ending(raised.encode())
    assert ended is not None and ended.error("").what.endswith("as it starts: MemoryError:")
