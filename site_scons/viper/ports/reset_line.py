# SPDX-License-Identifier: MIT
"""A chip's reset by the serial port's DTR and RTS, which boards wire to IO0 and EN."""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from typing import Any

import serial


def start_application(line: Any) -> None:
    """Pulse EN by DTR and RTS with IO0 high, as esptool's hard reset does, if the port is there."""
    interrupts = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, interrupts)  # or the chip might stay in reset
    try:
        with suppress(serial.SerialException, OSError):
            if line.dtr:
                line.dtr = False
            line.rts = True
            time.sleep(0.1)
            line.rts = False
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, interrupts)
