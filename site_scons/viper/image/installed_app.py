# SPDX-License-Identifier: MIT
"""Which application a chip boots, read from its flash without running it."""

from __future__ import annotations

from collections.abc import Callable

from viper.image import app_image, otadata, partition_table
from viper.image.app_image import AppDescription
from viper.image.boot_order import BootOrder

Read = Callable[[int, int], bytes]  # offset and size to the flash's content


def find(read: Read, flash_size: int) -> AppDescription | None:
    """What the application that boots next says of itself; None if there is none.

    Args:
        read: gives the flash's content.
        flash_size: bytes of flash that the chip has.
    """
    order = BootOrder(partition_table.booted_by(read, flash_size))
    written = None
    if order.otadata is not None:
        if order.otadata.size < otadata.SIZE:
            return None
        written = otadata.after_boot(read(order.otadata.offset, otadata.SIZE), order.slots)
    for _place, entry in order.tried(written):
        start = read(entry.offset, app_image.START_SIZE)
        if start[0] == app_image.IMAGE_MAGIC:
            return app_image.describe_start(start)
    return None
