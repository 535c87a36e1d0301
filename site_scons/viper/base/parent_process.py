# SPDX-License-Identifier: MIT
"""A process that is not to outlive the one that has started it."""

from __future__ import annotations

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_it(number: signal.Signals) -> None:
    """Have this process sent a signal when its parent ends; at once, if it has ended already."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os.kill(os.getpid(), number)
