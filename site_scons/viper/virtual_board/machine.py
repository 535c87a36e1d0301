# SPDX-License-Identifier: MIT
"""What a board carries, as the board sees it: something that a reset starts and a line talks to."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Protocol

from viper.virtual_board.reset_circuit import Boot


class Mode(enum.Enum):
    """What the chip is doing."""

    OFF = "off"
    RESET = "reset"
    DOWNLOAD = "download"
    BOOTLOADER = "bootloader"
    APPLICATION = "application"
    HALTED = "halted"


class Cause(enum.Enum):
    """Why the chip starts, as its ROM prints it."""

    POWER_ON = "0x1 (POWERON)"
    SOFTWARE = "0x3 (RTC_SW_SYS_RST)"
    ROM_WATCHDOG = "0x7 (TG0WDT_SYS_RST)"
    WATCHDOG = "0x10 (RTCWDT_RTC_RST)"


class Surroundings(Protocol):
    """The board, as what it carries sees it."""

    def printed(self, data: bytes) -> None:
        """The console: for the client, and for the log."""

    def answered(self, data: bytes) -> None:
        """The line while a tool talks to the chip: for the client alone."""

    def start_chip(self, cause: Cause) -> None:
        """A reset from inside: what IO0 says counts."""

    def power_off(self) -> None:
        """The power has failed."""


class Machine(Protocol):
    """A chip with its flash.

    Attributes:
        mode: what it is doing.
    """

    mode: Mode

    @property
    def untaken(self) -> int:
        """Bytes that it has received and not taken."""

    def leave_reset(self, cause: Cause, strapping: Boot) -> None:
        """Start what IO0 has chosen: the loader or the application."""

    def stop(self, mode: Mode) -> None:
        """Whatever it does ends; it is held in reset, or off."""

    def forgive(self) -> None:
        """A person has intervened: resets until now are not counted."""

    def receive(self, data: bytes) -> None:
        """Bytes from the line."""

    def pause(self, paused: bool) -> None:
        """Stop or go on taking what it prints."""

    def actions(self) -> dict[str, Callable[..., object]]:
        """What else callers may do to it or ask of it, by name; see control."""

    def close(self) -> None:
        """Let go of all that it holds."""
