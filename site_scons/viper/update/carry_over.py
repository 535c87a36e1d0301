# SPDX-License-Identifier: MIT
"""Before a flash changes partitions: what the device holds is read, saved here, and carried over.

Nothing is written before the backup is complete and everything is known to fit. A backup is marked
unfinished until its files are on the device again, so that whatever breaks off goes on from it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from viper.base.console import human_mac
from viper.base.errors import UserError
from viper.flash.writing import FILESYSTEM, Chip, Image, PartPlan, Session
from viper.image import filesystem_reader, partition_table
from viper.image.partition_table import PartitionTable
from viper.image.sectors import SECTOR_SIZE
from viper.ports import port
from viper.update import backup, repartition
from viper.update.backup import Backup
from viper.update.merging import Keeping
from viper.update.repartition import KEEP, KEPT, WIPE, Fate


@dataclass(frozen=True)
class Tell:
    """How the work is shown."""

    line: Callable[[str, str], None]  # a tag, and what is said
    total: Callable[[int, str], None]  # bytes to come, and a tag
    progress: Callable[[int], None]  # bytes done


@dataclass(frozen=True)
class CarryOver:
    """An image with a device's own data in it, and what it was made of."""

    image: Image
    backup: Backup | None = None  # None: nothing is carried over
    own: Mapping[str, bytes] = field(default_factory=dict)  # the device's own files in it, by path
    known: Mapping[int, bytes] = field(default_factory=dict)  # of the chip: content by offset

    def session(self, chip: Chip, stamps: Path) -> Session:
        """What writes the image to the chip."""
        return Session(self.image, chip, stamps, self.known)

    def finish(self) -> None:
        """Note that the device has it all."""
        if self.backup is not None and self.backup.folder is not None:
            backup.mark_finished(self.backup.folder)


class DataKeeper:
    """The data partitions of one device, and the backups of it.

    Args:
        root: where backups are kept.
        port_name: PORT as the user gave it.
        keeping: what decides whose a file is.
    """

    def __init__(
        self, image: Image, chip: Chip, root: Path, port_name: str, keeping: Keeping, tell: Tell
    ) -> None:
        self._image = image
        self._chip = chip
        self._root = root
        self._port = port_name
        self._keeping = keeping
        self._tell = tell
        self._fs = _kind_of(image)

    def prepare(self, choice: str) -> CarryOver | None:
        """What a flash has to write, if data partitions change; None if they stay as they are.

        Args:
            choice: KEEP, WIPE, or empty if the user has not said.

        Raises:
            UserError: data would be lost and the user has not said so, or does not fit.
        """
        if choice == WIPE:
            self._forget_unfinished()
            return CarryOver(self._merged(None)[0])
        unfinished = backup.unfinished(self._root, self._chip.mac)
        if unfinished is not None:
            self._tell.line("KEEP", f"an interrupted repartition goes on, with {unfinished}")
            return self._carry(backup.load(unfinished))
        old = self._old_data()
        moving = self.moving(old)
        if old is None or not moving:
            return None
        if choice != KEEP:
            for fate in moving:
                self._tell.line("DATA", f"{fate.name}  would be {fate.what}: {fate.text}")
            raise UserError(
                f"the partitions of {human_mac(self._chip.mac)} change, and with them "
                f"{', '.join(fate.name for fate in moving)}",
                f"{port.typed('flash', self._port)} REPARTITION=keep carries over what is there, "
                "REPARTITION=wipe loses it",
            )
        carried, own = self._merged(old)
        folder = backup.save(self._root, old)
        self._tell.line("BACKUP", str(folder))
        for fate in moving:
            self._tell.line("KEEP", f"{fate.name}  {fate.text}")
        saved = replace(old, folder=folder)
        backup.mark_unfinished(folder)
        return CarryOver(
            carried, saved, own, {part.entry.offset: part.raw for part in old.partitions.values()}
        )

    def plan(self) -> list[Fate]:
        """What becomes of the data partitions that do not stay as they are.

        Raises:
            UserError: a repartition was interrupted, which comes first.
        """
        if backup.unfinished(self._root, self._chip.mac) is not None:
            raise UserError(
                f"a repartition of {human_mac(self._chip.mac)} was interrupted",
                f"{port.typed('restore', self._port)} finishes it, and so does flash",
            )
        return self.moving(self._old_data())

    def back_up(self) -> Path:
        """Save all data partitions.

        Raises:
            UserError: the chip has no partition table, or none that can be read.
        """
        table = self._table()
        if not table.entries:
            raise UserError(
                f"{human_mac(self._chip.mac)} has no partition table, so nothing is known of it"
            )
        return backup.save(self._root, self._read(table))

    def restore(self, source: Path | None) -> CarryOver:
        """What has to be written for a device to have what a backup holds.

        What the device has now is saved first, if anything is.

        Args:
            source: a backup; None for the one that an interrupted repartition has left.

        Raises:
            UserError: there is none, or it does not fit.
        """
        unfinished = backup.unfinished(self._root, self._chip.mac)
        if source is None and unfinished is None:
            known = backup.every(self._root, self._chip.mac)
            raise UserError(
                f"{human_mac(self._chip.mac)} has no interrupted repartition to finish",
                f"say which backup: FROM={known[-1]}" if known else "there is no backup of it",
            )
        wanted = backup.load(source or unfinished or Path())
        table = self._table()
        if unfinished is None and table.entries:
            now = self._read(table)
            if any(saved.files for saved in now.partitions.values()):
                self._tell.line("BACKUP", f"{backup.save(self._root, now)}, what is there now")
        return self._carry(wanted)

    def beside(self) -> CarryOver:
        """What has to be written for a device to have the image's files beside its own.

        For one whose program cannot be interrupted; what it holds is saved first.
        """
        now = self._read(self._table())
        folder = backup.save(self._root, now)
        self._tell.line("BACKUP", f"{folder}, for the program cannot be interrupted")
        return self._carry(replace(now, folder=folder))

    def moving(self, old: Backup | None) -> list[Fate]:
        """The data partitions of a device that would not stay as they are."""
        if old is None:
            return []
        fates = repartition.fates(old, repartition.new_table(self._image), self._fs)
        return [fate for fate in fates if fate.what != KEPT]

    def _carry(self, saved: Backup) -> CarryOver:
        carried, own = self._merged(saved)
        if saved.folder is not None:
            backup.mark_unfinished(saved.folder)
        return CarryOver(carried, saved, own)

    def _merged(self, saved: Backup | None) -> tuple[Image, dict[str, bytes]]:
        return repartition.carried(self._image, saved, self._fs, self._keeping)

    def _old_data(self) -> Backup | None:
        """What the device holds, if its table or its file system is not the image's."""
        old, new = self._table(), repartition.new_table(self._image)
        if not old.entries or (old.to_binary() == new.to_binary() and not self._other_kind()):
            return None
        return self._read(old)

    def _table(self) -> PartitionTable:
        """The table that the chip has; an empty one if it has none.

        One that is the beginning of the image's own was being written when a flash broke off.

        Raises:
            UserError: there is something that is no table, or one that does not boot.
        """
        read, size = self._chip.read, self._image.flash_size
        wanted = repartition.new_table(self._image)
        new = wanted.to_binary()
        if self._holds(partition_table.TABLE_OFFSET, new):
            return wanted
        begun = read(partition_table.TABLE_OFFSET, partition_table.BINARY_SIZE).rstrip(b"\xff")
        if begun != new.rstrip(b"\xff") and new.startswith(begun):
            return PartitionTable(())
        try:
            return partition_table.on_chip(read, size)
        except ValueError as error:
            flash = port.typed("flash", self._port)
            raise UserError(
                f"what {human_mac(self._chip.mac)} holds is not known: {error}",
                f"esptool read-flash 0 ALL FILE saves it; {flash} REPARTITION=wipe starts anew",
            ) from None

    def _holds(self, offset: int, content: bytes) -> bool:
        """Whether the chip has this, which it says much sooner than it is read."""
        return self._chip.md5(offset, len(content)) == hashlib.md5(content).digest()

    def _other_kind(self) -> bool:
        """Whether the chip has another file system than the image, in the same place."""
        for part in self._image.parts:
            if part.kind == FILESYSTEM:
                offset = part.region.offset
                if self._holds(offset, part.region.content[:SECTOR_SIZE]):
                    return False
                head = self._chip.read(offset, 2 * SECTOR_SIZE)
                return filesystem_reader.kind(head) not in ("", self._fs)
        return False

    def _read(self, table: PartitionTable) -> Backup:
        self._tell.total(backup.size(table), "READ")
        return backup.read(self._chip, table, self._tell.progress)

    def _forget_unfinished(self) -> None:
        folder = backup.unfinished(self._root, self._chip.mac)
        if folder is not None:
            backup.mark_finished(folder)


def closed_for_writing(chip: Chip, plans: list[PartPlan]) -> list[PartPlan]:
    """Make a chip boot nothing until all is written, and plan to write what makes it boot again.

    Under neither table a MicroPython may see a file system that is half there.
    """
    if not any(plan.sectors for plan in plans):
        return plans
    chip.erase(partition_table.TABLE_OFFSET, SECTOR_SIZE)
    return [
        replace(plan, sectors=list(plan.part.region.whole.sectors))
        if plan.part.region.offset == partition_table.TABLE_OFFSET
        else plan
        for plan in plans
    ]


def _kind_of(image: Image) -> str:
    for part in image.parts:
        if part.kind == FILESYSTEM:
            return filesystem_reader.kind(part.region.content[: 2 * SECTOR_SIZE])
    return ""
