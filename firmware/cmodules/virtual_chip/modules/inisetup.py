# SPDX-License-Identifier: MIT
"""The first start: a blank `vfs` is formatted, a broken one is left alone and says so."""

import time

import micropython
import vfs
from flashbdev import bdev

_SECTOR_SIZE = 5  # ioctl of the block protocol
_CTRL_C = 3


def setup():
    """Formats a blank partition as LittleFS 2 and mounts it; never returns for a broken one."""
    if not _is_blank():
        _report_corruption()
    print("Performing initial setup")
    vfs.VfsLfs2.mkfs(bdev)
    vfs.mount(vfs.VfsLfs2(bdev), "/")
    with open("boot.py", "w") as file:
        file.write("# This file is executed on every boot.\n")


def _is_blank():
    block = bytearray(bdev.ioctl(_SECTOR_SIZE, 0))
    bdev.readblocks(0, block)
    return all(byte == 0xFF for byte in block)


def _report_corruption():
    micropython.kbd_intr(_CTRL_C)  # so that a person can get to the prompt
    while True:
        print(
            "The filesystem appears to be corrupted. If you had important data there, you\n"
            "may want to make a flash snapshot to try to recover it. Otherwise, perform\n"
            "factory reprogramming of MicroPython firmware (completely erase flash, followed\n"
            "by firmware programming).\n"
        )
        time.sleep(3)
