# SPDX-License-Identifier: MIT
"""How much slower a busy machine is, for tests of how long things take."""

from __future__ import annotations

import time

_WORK_S = 0.05


def slowness() -> float:
    """How many times longer work takes here than its processor time: 1 on an idle machine.

    A limit times this is as strict as the limit where nothing else runs, and can be held elsewhere.
    """
    began, worked = time.monotonic(), time.thread_time()
    while time.thread_time() - worked < _WORK_S:
        pass
    return max(1.0, (time.monotonic() - began) / _WORK_S)
