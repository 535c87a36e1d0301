# SPDX-License-Identifier: MIT
"""A flash image brought onto a chip: planned, written in a safe order, verified, and noted.

Pure but for the stamp: the chip is an interface, which esptool stands behind in
viper.update.flasher.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from viper.base import formats
from viper.base.errors import UserError
from viper.base.mac import Mac
from viper.flash import device_stamp, sector_plan
from viper.flash.sector_plan import ERASED, Region
from viper.image import app_image, device_files, ownership, partition_table
from viper.image.sectors import SECTOR_SIZE, runs
from viper.ports.port import Port, typed

FILESYSTEM = "filesystem"  # the kind of a part that the device writes to as well


class Chip(Protocol):
    """A chip whose flash can be reached."""

    mac: Mac

    def md5(self, offset: int, size: int) -> bytes:
        """The MD5 digest of a range of the flash, as the chip says."""

    def read(self, offset: int, size: int) -> bytes:
        """A range of the flash."""

    def erase(self, offset: int, size: int) -> None:
        """Erase whole sectors."""

    def write(self, offset: int, content: bytes, progress: Callable[[int], None]) -> None:
        """Erase whole sectors and write them; `progress` takes how many bytes are done so far."""


@dataclass(frozen=True)
class File:
    """A file that the device's file system is to hold."""

    sha256: str  # hex
    source: Path  # where its content is
    is_seed: bool = False  # placed only where nothing is, and the user's from then on


@dataclass(frozen=True)
class Part:
    """A part of a flash image."""

    name: str
    kind: str  # FILESYSTEM, or anything that only a flash writes
    region: Region


_NOT_TOLD = ""  # the digest of a part, in an image that others have described


@dataclass(frozen=True)
class Image:
    """A flash image: what `flash.json` says, with the content it names."""

    board: str
    chip: str  # as esptool spells it: "esp32s3"
    flash_size: int  # bytes
    psram_size: int  # bytes
    parts: tuple[Part, ...]
    files: Mapping[str, File]  # by their path on the device

    @property
    def ours(self) -> dict[str, str]:
        """The sha256 of the files that stay ours on a device, by path."""
        return {path: file.sha256 for path, file in self.files.items() if not file.is_seed}

    @property
    def overlay(self) -> str:
        """The overlay that its application is for an emulator by; "" if for the board itself."""
        told = (
            app_image.describe_start(part.region.content)
            for part in self.parts
            if part.region.count
        )
        return next((described.overlay for described in told if described), "")

    def refuse_other_device(self, at: Port) -> None:
        """See that this is the kind of image that a port takes: an emulator has another network.

        Raises:
            UserError: it is for an emulator and the port leads to none, or the other way round.
        """
        if self.overlay and self.overlay != at.overlay:
            raise UserError(
                f"PORT={at.text}: this image of {self.board} is for an emulator (overlay "
                f"'{self.overlay}'): a board would have no network with it",
                f"{typed('flash', at.text)} BOARD={self.board} makes the board's own",
            )
        if self.overlay != at.overlay:
            raise UserError(
                f"PORT={at.text}: this image of {self.board} is without the overlay "
                f"'{at.overlay}': it has no network there",
                f"{typed('flash', at.text)} BOARD={self.board} makes one with it",
            )


@dataclass(frozen=True)
class PartPlan:
    """What a part needs: the sectors to write, or None if it has to be left alone."""

    part: Part
    sectors: list[int] | None


def load(description: Path, root: Path) -> Image:
    """Read a flash image by its `flash.json`.

    Args:
        root: the folder that the files' sources are relative to.

    Raises:
        UserError: it is not there, or does not hold together.
    """
    again = "make it again: ./scons image"
    try:
        record = json.loads(description.read_text(encoding="utf-8"))
        formats.check(description, record, device_files.FORMAT, again)
        parts = tuple(_part(description.parent, part) for part in record["parts"])
        image = Image(
            board=record["board"],
            chip=record["chip"],
            flash_size=_integer(record, "flash_size"),
            psram_size=_integer(record, "psram_size"),
            parts=tuple(sorted(parts, key=lambda part: part.region.offset)),
            files={
                path: File(file["sha256"], root / file["source"], bool(file.get("seed")))
                for path, file in record["files"].items()
            },
        )
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}", again) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{description}: not a flash image: {error!r}", again) from None
    end, before = 0, "the flash's start"
    for part in image.parts:
        if part.region.offset < end:
            raise UserError(f"{description}: {part.name} overlaps {before}", again)
        end, before = part.region.offset + len(part.region.content), part.name
    if end > image.flash_size:
        raise UserError(f"{description}: {before} ends after the flash does", again)
    return image


def _part(folder: Path, record: Mapping[str, object]) -> Part:
    file = folder / str(record["file"])
    content = file.read_bytes()
    if record.get("sha256", _NOT_TOLD) not in (_NOT_TOLD, hashlib.sha256(content).hexdigest()):
        raise UserError(f"{file} was changed after it was made", "./scons image makes it anew")
    used = record.get("used")
    if used is not None:
        if not isinstance(used, list):
            raise ValueError(f"'used' is {used!r}, no list of sectors")
        kept = bytearray(ERASED * len(content))
        for first, count in used:
            part = slice(first * SECTOR_SIZE, (first + count) * SECTOR_SIZE)
            kept[part] = content[part]
        content = bytes(kept)
    if not content:
        raise ValueError(f"{record['name']} is empty")
    region = Region(_integer(record, "offset"), content)
    return Part(str(record["name"]), str(record["kind"]), region)


def _integer(record: Mapping[str, object], key: str) -> int:
    value = record[key]
    if not isinstance(value, int):
        raise ValueError(f"'{key}' is {value!r}, no integer")
    return value


class Session:
    """One image, one chip.

    Args:
        known: what has just been read of the chip: content by offset. It is not asked about again.

    Attributes:
        stamp: what is known of the device; `write` keeps it up to date, on disk too.
    """

    def __init__(
        self, image: Image, chip: Chip, stamps: Path, known: Mapping[int, bytes] | None = None
    ) -> None:
        self._image = image
        self._chip = chip
        self._stamps = stamps
        self._known = known or {}
        self._answers: dict[tuple[int, int], bytes] = {}
        self.stamp = device_stamp.load(stamps, chip.mac)

    def plan(self) -> list[PartPlan]:
        """Ask the chip what differs.

        Returns:
            A plan for each part, in the order in which they are written (see `_rank`).

        Raises:
            UserError: the device has another partition table, and data where a file system will be.
        """
        plans: dict[str, PartPlan] = {}
        for part in sorted(self._image.parts, key=lambda part: part.kind == FILESYSTEM):
            claim = self.stamp.parts.get(part.name)
            if part.kind != FILESYSTEM:
                sectors: list[int] | None
                sectors = sector_plan.differing(self._ask, part.region, claim)
            else:
                same_table = self._is_in_its_place(part, plans.get("partition-table"))
                sectors = sector_plan.differing_filesystem(
                    self._ask, part.region, claim, same_table
                )
                if sectors is None and not same_table:
                    size = len(part.region.content)
                    raise UserError(
                        f"{self._chip.mac} has another partition table, and data where "
                        f"{part.name} is to be",
                        "if that data may go: REPARTITION=wipe, or esptool erase-region "
                        f"{part.region.offset:#x} {size:#x}",
                    )
            plans[part.name] = PartPlan(part, sectors)
        return sorted(plans.values(), key=lambda plan: _rank(plan.part))

    def _is_in_its_place(self, part: Part, table: PartPlan | None) -> bool:
        """Whether the device knows a file system where the image has it."""
        if table is not None and not table.sectors:
            return True
        place = (part.region.offset, len(part.region.content))
        entries = partition_table.booted_by(self._chip.read, self._image.flash_size)
        return any((entry.offset, entry.size) == place for entry in entries)

    def filesystem_md5(self, part: Part) -> bytes:
        """What the chip has said of a part's region while it was planned."""
        return self._ask(part.region.offset, len(part.region.content))

    def write(self, plans: list[PartPlan], progress: Callable[[int], None]) -> None:
        """Write what differs, verify it, and note it in the stamp, part after part.

        Args:
            progress: takes how many bytes are done so far.

        Raises:
            UserError: the flash does not keep what is written to it.
        """
        done = 0
        for plan in plans:
            if plan.sectors:
                if plan.part.kind == FILESYSTEM:
                    self._note_underway(plan.part, plan.sectors)
                self._write_part(plan.part, plan.sectors, _from(done, progress))
                done += len(plan.sectors) * SECTOR_SIZE
            if plan.sectors is not None:
                self._note_done(plan.part)

    def save(self) -> None:
        """Write the stamp."""
        device_stamp.save(self._stamps, self.stamp)

    def _ask(self, offset: int, size: int) -> bytes:
        """The chip's MD5 before anything is written; each range is asked for once."""
        for start, content in self._known.items():
            if start <= offset and offset + size <= start + len(content):
                return hashlib.md5(content[offset - start : offset - start + size]).digest()
        if (offset, size) not in self._answers:
            self._answers[offset, size] = self._chip.md5(offset, size)
        return self._answers[offset, size]

    def _write_part(self, part: Part, sectors: list[int], progress: Callable[[int], None]) -> None:
        region = part.region
        self._write_sectors(region, sectors, progress)
        if self._matches(region):
            return
        # Noise on the line, or a sector that fails: what is wrong once more, each sector by itself.
        for sector in sector_plan.search(self._chip.md5, region, region.whole):
            self._write_sectors(region, [sector], lambda _: None)
        if not self._matches(region):
            bad = sector_plan.search(self._chip.md5, region, region.whole)[0]
            raise UserError(
                f"the flash at {region.offset + bad * SECTOR_SIZE:#x} ({part.name}) does not keep "
                "what is written to it",
                "try again; if it fails at the same place, the flash chip is worn out",
            )

    def _write_sectors(
        self, region: Region, sectors: list[int], progress: Callable[[int], None]
    ) -> None:
        done = 0
        for run in runs(sectors):
            offset, content = region.offset + run.offset, region.run(run)
            if region.not_erased(run):
                self._chip.write(offset, content, _from(done, progress))
            else:
                self._chip.erase(offset, run.size)
            done += run.size
            progress(done)

    def _matches(self, region: Region) -> bool:
        return self._chip.md5(region.offset, len(region.content)) == region.digest(region.whole)

    def _note_underway(self, part: Part, sectors: list[int]) -> None:
        before = self._ask(part.region.offset, SECTOR_SIZE)
        self.stamp.parts[part.name] = part.region.claim_underway(sectors, before)
        self.save()

    def _note_done(self, part: Part) -> None:
        """Note that the chip holds a part, whether it had to be written or not."""
        digest = part.region.digest(part.region.whole)
        known = self.stamp.parts.get(part.name)
        is_known = known is not None and known.md5 == digest and not known.settled
        if part.kind == FILESYSTEM:
            self.stamp.ownership = ownership.of_image(self._image.ours)
            self.stamp.files_md5 = digest
        elif is_known:
            return
        if not is_known:
            self.stamp.parts[part.name] = part.region.claim()
        self.save()


def _from(start: int, progress: Callable[[int], None]) -> Callable[[int], None]:
    """Progress of a piece of work, told as progress of the whole that it is a piece of."""
    return lambda done: progress(start + done)


def _rank(part: Part) -> int:
    """The place of a part in the order of writing.

    What a chip boots by comes last, so that one that is interrupted while it is new does not boot
    at all: a MicroPython that finds its partition blank would format it. An application comes
    before the otadata that selects it.
    """
    last = ("otadata", "partition-table", "bootloader")
    if part.kind == FILESYSTEM:
        return -1
    return last.index(part.name) + 1 if part.name in last else 0
