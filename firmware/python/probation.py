# SPDX-License-Identifier: MIT
"""Gives up an update that does not come up. boot.py calls it, before anything can fail:

    import probation

    probation.guard()

The bootloader notes in otadata that an update runs for the first time. Unless the update is
confirmed (viperhttp.ota does so once `./scons ota` has found it), the next boot is that of the
firmware before it; guard() sees to it that there is a next boot, and needs nothing of what it
judges.
"""

import machine
from esp32 import Partition

LIMIT_S = 60

_OTADATA = 0  # subtype of the partition
_STATE = 24  # where it is in a record of 32 bytes
_PENDING_VERIFY = b"\x01\0\0\0"


def guard(seconds=LIMIT_S):
    """Resets the device if what runs is an update and is not confirmed `seconds` from now."""
    if is_on():
        import _thread

        _thread.start_new_thread(_reset_after, (seconds,))


def is_on():
    """Whether the next boot would give up what runs."""
    record = bytearray(32)
    for partition in Partition.find(Partition.TYPE_DATA, subtype=_OTADATA):
        for sector in (0, 1):
            partition.readblocks(sector, record)
            if record[_STATE : _STATE + 4] == _PENDING_VERIFY:
                return True
    return False


def end():
    """Keeps what runs: confirms the update."""
    if is_on():
        Partition.mark_app_valid_cancel_rollback()


def _reset_after(seconds):
    import time

    time.sleep(seconds)
    if is_on():
        print("probation: this update was not confirmed within %d s" % seconds)
        machine.reset()
