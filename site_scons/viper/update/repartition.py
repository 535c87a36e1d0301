# SPDX-License-Identifier: MIT
"""What becomes of a device's data when its partitions change, and the image that carries it over.

Pure. MicroPython formats a `vfs` whose first block is blank and loops for ever over one that it
cannot mount: so every data partition of the new table is written, with what it is to hold or blank.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from viper.base.console import human_size
from viper.base.errors import UserError
from viper.flash.sector_plan import ERASED, Region
from viper.flash.writing import FILESYSTEM, Image, Part
from viper.image import ownership, partition_table, vfs_image
from viper.image.partition_table import Entry, PartitionTable
from viper.update import merging
from viper.update.backup import Backup, Saved
from viper.update.merging import Keeping

KEEP, WIPE = "keep", "wipe"  # what REPARTITION may be

KEPT, MOVED, FORMATTED, LOST = "kept", "moved", "formatted", "lost"

_CARRIED = "carried"  # the kind of a part that is the device's own data


@dataclass(frozen=True)
class Fate:
    """What becomes of one data partition."""

    name: str
    what: str  # KEPT, MOVED, FORMATTED or LOST
    text: str  # for a person: where it was and will be, its files and bytes


def fates(old: Backup, new: PartitionTable, fs: str) -> list[Fate]:
    """What becomes of each data partition that is not blank, if it is not carried over.

    Args:
        old: what the device holds.
        new: the table that it will have.
        fs: the file system that `vfs` will have.
    """
    found = []
    for saved in old.partitions.values():
        if saved.is_blank or _is_otadata(saved.entry):
            continue
        there = counterpart(saved.entry, old.table, new)
        what = _fate(saved, there, fs)
        found.append(Fate(saved.entry.name, what, f"{_content(saved)}, {_way(saved, there, fs)}"))
    return found


def counterpart(entry: Entry, old: PartitionTable, new: PartitionTable) -> Entry | None:
    """The partition of a new table that takes the place of an old one: by its name, or else the
    only one of its subtype that is without a counterpart by name."""
    data = [other for other in new if other.type == partition_table.DATA]
    for other in data:
        if other.name == entry.name:
            return other
    names = {other.name for other in old}
    renamed = [o for o in data if o.subtype == entry.subtype and o.name not in names]
    return renamed[0] if len(renamed) == 1 else None


def carried(
    image: Image, backup: Backup | None, fs: str, keeping: Keeping
) -> tuple[Image, dict[str, bytes]]:
    """An image that holds a device's own data too, and the files in it that are the device's own.

    Args:
        backup: what is to be carried over; None leaves the data partitions blank.
        fs: the file system of `vfs`.
        keeping: what decides whose a file is.

    Raises:
        UserError: it does not fit; with the sizes. A file of the user's is in the way of ours.
    """
    own: dict[str, bytes] = {}
    table = new_table(image)
    parts = {part.name: part for part in image.parts}
    for entry in table:
        if entry.type != partition_table.DATA or _is_otadata(entry):
            continue
        saved = _source(entry, table, backup)
        part = parts.get(entry.name)
        if part is not None and part.kind == FILESYSTEM:
            content = part.region.content
            if saved is not None and saved.fs:
                merged = merging.merge(saved.files, image, fs, keeping)
                content = vfs_image.build(fs, merged.contents, entry.size).data
                own |= {path: merged.contents[path] for path in merged.own}
            elif saved is not None and not saved.is_blank:
                raise UserError(
                    f"the file system of {saved.entry.name} cannot be read "
                    f"({saved.damage or 'it is none'}), so its files cannot be kept",
                    "./scons backup keeps it raw; REPARTITION=wipe starts anew",
                )
        else:
            content = _raw(saved, entry)
        parts[entry.name] = Part(entry.name, _CARRIED, Region(entry.offset, content))
    by_offset = sorted(parts.values(), key=lambda part: part.region.offset)
    return replace(image, parts=tuple(by_offset)), own


def folders(backup: Backup) -> list[str]:
    """The folders of a device, an outer one before the inner ones."""
    return sorted({folder for saved in backup.partitions.values() for folder in saved.folders})


def new_table(image: Image) -> PartitionTable:
    """The partition table of an image."""
    for part in image.parts:
        if part.region.offset == partition_table.TABLE_OFFSET:
            return partition_table.from_binary(part.region.content, image.flash_size)
    return PartitionTable(())


def _source(entry: Entry, table: PartitionTable, backup: Backup | None) -> Saved | None:
    if backup is not None:
        for saved in backup.partitions.values():
            if counterpart(saved.entry, backup.table, table) == entry:
                return saved
    return None


def _raw(saved: Saved | None, entry: Entry) -> bytes:
    if saved is None:
        return ERASED * entry.size
    needed = len(saved.raw.rstrip(ERASED))
    if needed > entry.size:
        raise UserError(
            f"'{saved.entry.name}' holds {needed} bytes, and '{entry.name}' will have "
            f"{entry.size}: {needed - entry.size} too many",
            f"make '{entry.name}' larger, or REPARTITION=wipe",
        )
    return saved.raw[: entry.size].ljust(entry.size, ERASED)


def _fate(saved: Saved, there: Entry | None, fs: str) -> str:
    if there is None:
        return LOST
    old = saved.entry
    if saved.fs and saved.fs != fs:
        return FORMATTED
    same_place = (there.offset, there.size) == (old.offset, old.size)
    return KEPT if same_place and there.subtype == old.subtype else MOVED


def _content(saved: Saved) -> str:
    if saved.fs:
        sizes = [len(data) for path, data in saved.files.items() if not ownership.is_note(path)]
        return f"{len(sizes)} files, {human_size(sum(sizes))}"
    return f"{human_size(len(saved.raw.rstrip(ERASED)))} of data"


def _way(saved: Saved, there: Entry | None, fs: str) -> str:
    place = f"{saved.entry.offset:#x} {human_size(saved.entry.size)}"
    if there is None:
        return f"{place} → nowhere"
    kinds = (f" {saved.fs}", f" {fs}") if saved.fs and saved.fs != fs else ("", "")
    name = "" if there.name == saved.entry.name else f" {there.name}"
    return f"{place}{kinds[0]} →{name} {there.offset:#x} {human_size(there.size)}{kinds[1]}"


def _is_otadata(entry: Entry) -> bool:
    """A flash writes it: what it wrote is what boots."""
    return entry.subtype == partition_table.OTADATA
