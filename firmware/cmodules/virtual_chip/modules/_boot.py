# SPDX-License-Identifier: MIT
"""Mounts the partition `vfs` at /, before boot.py: what MicroPython's esp32 port does."""

import gc

import vfs
from flashbdev import bdev

if bdev:
    try:
        vfs.mount(bdev, "/")
    except OSError:
        import inisetup

        inisetup.setup()

gc.collect()
