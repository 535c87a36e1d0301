# SPDX-License-Identifier: MIT
"""The block device of the file system, under the name MicroPython's esp32 port gives it."""

from esp32 import Partition

bdev = (Partition.find(Partition.TYPE_DATA, label="vfs") or [None])[0]
