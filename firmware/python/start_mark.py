# SPDX-License-Identifier: MIT
"""A mark in the flash that has the device start at its prompt, once, before anything of the user's.

It is how the computer gets hold of a program that cannot be interrupted: it writes the mark through
the chip's own loader (viper/flash/start_mark.py). The mark stands in the partition of the subtype
`phy`, a sector that ESP-IDF reserves and these firmwares, whose PHY data are compiled in, leave
blank. It is forgotten as it is read, so that the start after that is one as ever.
"""

from esp32 import Partition

MARK = b"viperhttp: start at the prompt\n"

_PHY = 1  # subtype of the partition
_ERASE = 6  # ioctl of a block device


class Stopped(Exception):
    """Ends boot.py; MicroPython then goes to its prompt, and runs no main.py."""


def obey():
    """Raises Stopped if the mark is there; it is there no more then."""
    if _take():
        raise Stopped(
            "the computer has asked for the prompt; the next reset starts the application"
        )


def _take():
    beginning = bytearray(len(MARK))
    for partition in Partition.find(Partition.TYPE_DATA, subtype=_PHY):
        partition.readblocks(0, beginning)
        if beginning == MARK:
            partition.ioctl(_ERASE, 0)
            return True
    return False
