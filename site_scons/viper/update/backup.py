# SPDX-License-Identifier: MIT
"""Backups of a device: folders of plain files with a manifest, and the raw partitions beside them.

    <XDG_DATA_HOME>/viperhttp/backups/<mac>/2026-01-31T12-00-00/
        manifest.json         what there is: partitions, files, sizes, SHA-256
        vfs/settings.json     the files of the partition `vfs`
        raw/vfs.bin, raw/nvs.bin, ...

What a file system does not use is not read, and stands in its raw partition as erased.

They are outside of the tree, and nobody else's to read: nvs holds the Wi-Fi password.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from viper.base import atomic_file, formats
from viper.base.errors import UserError
from viper.base.mac import Mac
from viper.base.printable import printable
from viper.device import network_token
from viper.flash.sector_plan import ERASED, FAN_OUT, erased_digest
from viper.image import filesystem_reader, partition_table, vfs_image
from viper.image.fat_volume import Damaged
from viper.image.partition_table import Entry, PartitionTable
from viper.image.sectors import SECTOR_SIZE, runs

_FORMAT = 1
_MANIFEST = "manifest.json"
_RAW = "raw"
_UNFINISHED = "unfinished"  # marks a backup whose files are not all on the device yet
_PIECE = 64 * 1024  # bytes; what is read at once, unless it is erased


class Chip(Protocol):
    """What a backup needs of a chip; see `flash_session.Chip`."""

    mac: Mac

    def md5(self, offset: int, size: int) -> bytes:
        """The MD5 digest of a range of the flash."""

    def read(self, offset: int, size: int) -> bytes:
        """A range of the flash."""


@dataclass(frozen=True)
class Saved:
    """A partition of type data as it was."""

    entry: Entry
    raw: bytes
    fs: str = ""  # one of board.FILE_SYSTEMS, if it holds one
    files: Mapping[str, bytes] = field(default_factory=dict)  # by path with a leading "/"
    folders: Sequence[str] = ()
    damage: str = ""  # why its file system cannot be read

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in it."""
        return self.raw == ERASED * len(self.raw)


@dataclass(frozen=True)
class Backup:
    """What a device held."""

    mac: Mac
    partitions: Mapping[str, Saved]  # by name
    folder: Path | None = None  # where it is kept

    @property
    def table(self) -> PartitionTable:
        """The data partitions that there were."""
        return PartitionTable(tuple(saved.entry for saved in self.partitions.values()))


def default_root() -> Path:
    """Where backups are kept: the XDG base directory for a user's data."""
    base = os.environ.get("XDG_DATA_HOME", "")
    data = Path(base) if Path(base).is_absolute() else Path.home() / ".local/share"
    return data / "viperhttp" / "backups"


def read(chip: Chip, table: PartitionTable, progress: Callable[[int], None]) -> Backup:
    """Read all data partitions of a chip: of a file system the sectors that it uses.

    Args:
        progress: takes how many bytes are done so far.
    """
    done = 0
    partitions = {}
    for entry in table:
        if entry.type == partition_table.DATA:
            partitions[entry.name] = _read_partition(chip, entry)
            done += entry.size
            progress(done)
    return Backup(chip.mac, partitions)


def size(table: PartitionTable) -> int:
    """What `read` reports in the end."""
    return sum(entry.size for entry in table if entry.type == partition_table.DATA)


def save(root: Path, backup: Backup) -> Path:
    """Write a backup, but for the device's token: its folder is there when all of it is.

    Raises:
        UserError: a name on the device that would leave the folder.
    """
    backup = replace(
        backup, partitions={name: _tokenless(part) for name, part in backup.partitions.items()}
    )
    parent = root / backup.mac
    for folder in (root, parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
    unfinished = parent / f".{os.getpid()}.part"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir(mode=0o700)
        (unfinished / _RAW).mkdir()
        for name, saved in backup.partitions.items():
            (unfinished / _RAW / f"{_safe_partition(name)}.bin").write_bytes(saved.raw)
            for path in [*saved.folders, *saved.files]:
                target = unfinished.joinpath(name, *map(_safe, path.split("/")[1:]))
                if path in saved.files:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(saved.files[path])
                else:
                    target.mkdir(parents=True, exist_ok=True)
        atomic_file.write_json(unfinished / _MANIFEST, _record(backup))
        name = time.strftime("%Y-%m-%dT%H-%M-%S")
        folder = next(
            candidate
            for number in range(1, 1000)
            if not (candidate := parent / (name if number == 1 else f"{name}.{number}")).exists()
        )
        return unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def load(folder: Path) -> Backup:
    """Read a backup, and see that it is as it was made.

    Raises:
        UserError: it is no backup, or has been changed since.
    """
    try:
        record = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        formats.check(folder / _MANIFEST, record, _FORMAT, f"ls {folder.parent}")
        partitions = {
            str(part["name"]): _load_partition(folder, part) for part in record["partitions"]
        }
        return Backup(Mac(record["mac"]), partitions, folder)
    except OSError as error:
        raise UserError(f"{error.filename}: {error.strerror}", f"ls {folder.parent}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{folder} is not a backup: {error}", f"ls {folder.parent}") from None


def every(root: Path, mac: Mac) -> list[Path]:
    """The backups of a device, the oldest first."""
    return sorted(manifest.parent for manifest in (root / mac).glob(f"[0-9]*/{_MANIFEST}"))


def mark_unfinished(folder: Path) -> None:
    """Note that what a backup holds is about to be written to the device."""
    (folder / _UNFINISHED).touch()


def mark_finished(folder: Path) -> None:
    """Note that all of it is on the device."""
    (folder / _UNFINISHED).unlink(missing_ok=True)


def unfinished(root: Path, mac: Mac) -> Path | None:
    """The backup that was being written to a device when that broke off."""
    marked = [folder for folder in every(root, mac) if (folder / _UNFINISHED).exists()]
    return marked[0] if marked else None


def _read_sparse(chip: Chip, offset: int, size: int) -> bytes:
    """Read a range; what is erased is only asked for its MD5."""
    if chip.md5(offset, size) == erased_digest(size):
        return ERASED * size
    if size <= _PIECE:
        return chip.read(offset, size)
    step = max(_PIECE, -(-size // FAN_OUT // _PIECE) * _PIECE)
    return b"".join(
        _read_sparse(chip, offset + at, min(step, size - at)) for at in range(0, size, step)
    )


def _read_partition(chip: Chip, entry: Entry) -> Saved:
    """What a partition holds; sectors that its file system does not use are taken for erased."""
    if chip.md5(entry.offset, entry.size) == erased_digest(entry.size):
        return Saved(entry, ERASED * entry.size)
    seen = _Seen(chip, entry)
    damage = ""
    try:
        found = filesystem_reader.open_partition(seen.read, entry.size)
        if found is not None:
            files = {path: found.content(path) for path in found.sizes}
            return Saved(entry, bytes(seen.content), found.kind, files, found.folders)
    except Damaged as problem:
        damage = str(problem)
    return Saved(entry, _read_sparse(chip, entry.offset, entry.size), damage=damage)


class _Seen:
    """A partition, of which `content` has the sectors that were read; all others are erased."""

    def __init__(self, chip: Chip, entry: Entry) -> None:
        self.content = bytearray(ERASED * entry.size)
        self._chip = chip
        self._entry = entry
        self._sectors: set[int] = set()

    def read(self, offset: int, size: int) -> bytes:
        """Part of the partition, of which each sector is asked of the chip once.

        Raises:
            Damaged: the partition is not as long as that.
        """
        if offset + size > self._entry.size:
            raise Damaged("it reaches beyond its partition")
        touched = range(offset // SECTOR_SIZE, -(-(offset + size) // SECTOR_SIZE))
        for run in runs(sorted(set(touched) - self._sectors)):
            content = self._chip.read(self._entry.offset + run.offset, run.size)
            self.content[run.offset : run.offset + run.size] = content
        self._sectors.update(touched)
        return bytes(self.content[offset : offset + size])


def _tokenless(saved: Saved) -> Saved:
    """A partition without the token, of which nothing is left in the raw file system either."""
    secret = {path for path in saved.files if path.casefold() == network_token.ON_DEVICE}
    if not secret:
        return saved
    files = {path: data for path, data in saved.files.items() if path not in secret}
    return replace(saved, files=files, raw=vfs_image.build(saved.fs, files, saved.entry.size).data)


def _safe(name: str) -> str:
    """A name of the device as one of this computer's, which must not lead elsewhere."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise _unfit("file", name)
    return name


def _safe_partition(name: str) -> str:
    """The same of a partition, beside whose folder there are others."""
    if name in (_RAW, _MANIFEST, _UNFINISHED) or _safe(name) != name:
        raise _unfit("partition", name)
    return name


def _unfit(what: str, name: str) -> UserError:
    shown = printable(name, kept="")
    return UserError(f"the device has a {what} called '{shown}'", "rename it there")


def _record(backup: Backup) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "mac": backup.mac,
        "partitions": [
            {
                "name": name,
                "subtype": saved.entry.subtype,
                "offset": saved.entry.offset,
                "size": saved.entry.size,
                "sha256": _sha256(saved.raw),
                "fs": saved.fs,
                "damage": saved.damage,
                "folders": list(saved.folders),
                "files": {
                    path: {"size": len(content), "sha256": _sha256(content)}
                    for path, content in saved.files.items()
                },
            }
            for name, saved in backup.partitions.items()
        ],
    }


def _load_partition(folder: Path, part: dict[str, Any]) -> Saved:
    name = _safe_partition(part["name"])
    entry = Entry(name, partition_table.DATA, part["subtype"], part["offset"], part["size"])
    raw = _verified(folder / _RAW / f"{name}.bin", part["sha256"])
    files = {
        path: _verified(folder.joinpath(name, *map(_safe, path.split("/")[1:])), about["sha256"])
        for path, about in part["files"].items()
    }
    return Saved(entry, raw, part["fs"], files, part["folders"], part["damage"])


def _verified(path: Path, sha256: str) -> bytes:
    content = path.read_bytes()
    if _sha256(content) != sha256:
        raise UserError(f"{path} was changed since the backup was made", "restore another one")
    return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
