# SPDX-License-Identifier: MIT
"""What a power cut during a sync could damage of a FAT, kept on the host: `<mac>.fat-journal`.

FatFs writes a table or folder sector by erasing it first, so a cut in that moment loses entries of
files that the sync has nothing to do with. A sync writes the data of files to free clusters alone
until the last is complete, so that tables and folders are all that has to be put back.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from viper.base import atomic_file, formats
from viper.base.mac import Mac
from viper.image import fat_names, ownership
from viper.image.fat_volume import Damaged, FatVolume, ReadSectors
from viper.image.sectors import SECTOR_SIZE, runs

_FORMAT = 1
_SUFFIX = ".fat-journal"


class WriteSectors(Protocol):
    """Writes sectors of the partition, in a row from a number on."""

    def __call__(self, first: int, content: bytes) -> None:
        """Write whole sectors from the sector `first` on."""


@dataclass(frozen=True)
class Journal:
    """The tables and folders of a volume before a sync began to change it."""

    sectors: Mapping[int, bytes]  # by their number in the partition
    touched: frozenset[str]  # paths that the sync was to change


def save(folder: Path, mac: Mac, volume: FatVolume, touched: Iterable[str]) -> None:
    """Keep a volume's tables and folders, in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = sorted(volume.metadata)
    packed = zlib.compress(b"".join(volume.metadata[number] for number in numbers))
    record = {
        "format": _FORMAT,
        "sectors": numbers,
        "content": b64encode(packed).decode(),
        "touched": sorted(touched),
    }
    atomic_file.write_json(_path(folder, mac), record)


def load(folder: Path, mac: Mac) -> Journal | None:
    """What a sync of a device that did not end has left, if one has.

    Raises:
        UserError: a sync of another version has left it.
    """
    file = _path(folder, mac)
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    formats.check(
        file, record, _FORMAT, f"sync with that version, or give up what it keeps: rm {file}"
    )
    content = zlib.decompress(b64decode(record["content"]))
    return Journal(
        {
            int(number): content[at * SECTOR_SIZE : (at + 1) * SECTOR_SIZE]
            for at, number in enumerate(record["sectors"])
        },
        frozenset(record["touched"]),
    )


def clear(folder: Path, mac: Mac) -> None:
    """Forget a journal: the device is in order."""
    _path(folder, mac).unlink(missing_ok=True)


def any_pending(folder: Path) -> bool:
    """Whether a sync of any device did not end."""
    return any(folder.glob(f"*{_SUFFIX}"))


def put_back(journal: Journal, read: ReadSectors, write: WriteSectors) -> bool:
    """Take a volume back to where it was before the sync, if that is where it can go.

    A device that has gone on and changed files of its own, in a volume that is whole, is left as
    it is; so is one that has another volume now.

    Returns:
        Whether the volume is as it was.
    """
    numbers = sorted(journal.sectors)
    now = read(numbers)
    if now[0] != journal.sectors[0] or _has_gone_on(journal, read):
        return False
    for run in runs(number for number in numbers if now[number] != journal.sectors[number]):
        write(run.first, b"".join(journal.sectors[number] for number in run.sectors))
    return True


def _has_gone_on(journal: Journal, read: ReadSectors) -> bool:
    before = FatVolume(lambda wanted: {n: journal.sectors[n] for n in wanted})
    try:
        after = FatVolume(read)
    except Damaged:
        return False
    return _others(before, journal.touched) != _others(after, journal.touched)


def _others(volume: FatVolume, touched: frozenset[str]) -> dict[str, object]:
    """What a sync leaves alone: files as they are, and that folders are there."""
    entries = {fat_names.folded(path): entry for path, entry in volume.entries.items()}
    changing = {fat_names.folded(path) for path in touched}
    return {
        path: None if entry.is_folder else (entry.size, entry.stamp, entry.clusters)
        for path, entry in entries.items()
        if path not in changing and not _is_ours(path) and not _holds(path, changing)
    }


def _is_ours(path: str) -> bool:
    folder = fat_names.folded(ownership.FOLDER)
    return path == folder or path.startswith(f"{folder}/")


def _holds(folder: str, paths: Iterable[str]) -> bool:
    """Whether a folder has some of the paths below it: it may come or go with them."""
    return any(path.startswith(f"{folder}/") for path in paths)


def _path(folder: Path, mac: Mac) -> Path:
    return folder / f"{mac}{_SUFFIX}"
