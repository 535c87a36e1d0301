"""Which application a chip boots, read from its flash without running it."""

from __future__ import annotations

from collections.abc import Callable

from viper.image import app_image, otadata, partition_table
from viper.image.app_image import AppDescription
from viper.image.partition_table import Entry, PartitionTable

Read = Callable[[int, int], bytes]  # offset and size to the flash's content


def find(read: Read) -> AppDescription | None:
    """What the application that boots next says of itself; None if there is none."""
    try:
        table = partition_table.from_binary(
            read(partition_table.TABLE_OFFSET, partition_table.BINARY_SIZE)
        )
    except ValueError:
        return None
    slot = _slot(table, read)
    return app_image.describe_start(read(slot.offset, app_image.START_SIZE)) if slot else None


def _slot(table: PartitionTable, read: Read) -> Entry | None:
    slots = table.ota_slots()
    factory = table.find(partition_table.APP, partition_table.FACTORY)
    chosen = None
    entry = table.find(partition_table.DATA, partition_table.OTADATA)
    if entry is not None and entry.size >= otadata.SIZE:
        chosen = otadata.selected_slot(read(entry.offset, otadata.SIZE), len(slots))
    if chosen is None:
        return factory or next(iter(slots), None)
    return slots[chosen]
