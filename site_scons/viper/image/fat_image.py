# SPDX-License-Identifier: MIT
"""A FAT file system as an image, by pyfatfs; this file is all that knows of that library.

Sectors and clusters are 4096 bytes, as MicroPython's esp32 port reads a partition named `vfs`.
Volume id and times are constants: the same files give the same image.

Placement is stable: where a file lies depends on its own path and size, and as little as possible
on the other files, so that an edit changes the edited file's sectors, its entry and the FAT, and a
flash of the difference stays small. Scattered clusters cost the device nothing: FatFs reads one
cluster at a time anyway.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import count, pairwise
from math import gcd
from typing import TYPE_CHECKING, Any

from viper.base.errors import UserError
from viper.image import fat_names, filesystem_image
from viper.image.filesystem_image import FilesystemImage
from viper.image.sectors import SECTOR_SIZE

if TYPE_CHECKING:
    from pyfatfs.FATDirectoryEntry import FATDirectoryEntry

_RESERVED_SECTORS = 1  # the boot sector
_ROOT_ENTRIES = 512  # what FatFs formats with
_ENTRY_SIZE = 32
_ROOT_SECTORS = _ROOT_ENTRIES * _ENTRY_SIZE // SECTOR_SIZE
# From 4085 clusters on a FAT is FAT16, but implementations count them differently by a few, and
# some keep the numbers from FF0 (FFF0) on for themselves: sizes near the borders are not used.
_FAT12_MAX_CLUSTERS = 0xFEF - 1
_FAT16_MIN_CLUSTERS = 4096
_FAT16_MAX_CLUSTERS = 0xFFEF - 1
_FIRST_CLUSTER = 2
_MEDIA = 0xF8
_VOLUME_ID = 0x56495045  # "VIPE"; any constant would do
_DATE, _TIME = 0x0021, 0x0000  # 1980-01-01 00:00:00, FAT's first moment
_SHORT = re.compile(r"[A-Z0-9_-]{1,8}(\.[A-Z0-9_-]{1,3})?")
_LFN_UNITS = 13  # UTF-16 units of a long name that one entry holds


def build(files: Mapping[str, bytes], size: int) -> FilesystemImage:
    """Make a file system that holds `files`.

    Args:
        files: content by path, "/" between a path's parts.
        size: bytes of the partition.

    Raises:
        UserError: a name that FAT cannot hold, more than fits, or a size that FAT cannot fill.
    """
    fat_names.check(files)
    geometry = _Geometry.of(size)
    tree = _tree(files)
    needed = {path: _clusters(len(data)) for path, data in files.items()}
    needed.update((path, folder.clusters) for path, folder in tree.items() if path)
    _check_room(files, needed, tree[""], geometry)
    chains = _place(needed, {path: path not in tree for path in needed}, geometry.clusters)
    image = _write(files, tree, chains, geometry, size)

    used = list(range(geometry.first_data_sector))
    used += sorted(
        geometry.first_data_sector + cluster for chain in chains.values() for cluster in chain
    )
    return FilesystemImage.of(image, used)


@dataclass(frozen=True)
class _Geometry:
    """Where the parts of the file system lie."""

    clusters: int  # data clusters of one sector each
    fat_sectors: int
    fat_bits: int  # 12 or 16

    @property
    def first_data_sector(self) -> int:
        return _RESERVED_SECTORS + self.fat_sectors + _ROOT_SECTORS

    @property
    def sectors(self) -> int:
        return self.first_data_sector + self.clusters

    @classmethod
    def of(cls, size: int) -> _Geometry:
        """The geometry of a partition of `size` bytes."""
        room = filesystem_image.sectors(size) - _RESERVED_SECTORS - _ROOT_SECTORS
        fat_bits = 12 if room - 1 <= _FAT12_MAX_CLUSTERS else 16
        for fat_sectors in count(1):
            clusters = room - fat_sectors
            if (clusters + _FIRST_CLUSTER) * fat_bits <= fat_sectors * SECTOR_SIZE * 8:
                break
        if fat_bits == 16 and clusters < _FAT16_MIN_CLUSTERS:
            fat_bits, clusters = 12, min(clusters, _FAT12_MAX_CLUSTERS)
        if not 1 <= clusters <= _FAT16_MAX_CLUSTERS:
            raise UserError(
                f"FAT with clusters of {SECTOR_SIZE} bytes cannot fill a partition of {size:#x}",
                "choose another size for it",
            )
        return cls(clusters, fat_sectors, fat_bits)


@dataclass
class _Folder:
    """What is in a folder: full paths by name."""

    files: dict[str, str]
    folders: dict[str, str]
    is_root: bool

    @property
    def entries(self) -> int:
        """Directory entries it takes, long names and dot entries included."""
        names = [*self.files, *self.folders]
        return (0 if self.is_root else 2) + sum(1 + _long_name_entries(name) for name in names)

    @property
    def clusters(self) -> int:
        return _clusters(self.entries * _ENTRY_SIZE)


def _tree(files: Mapping[str, bytes]) -> dict[str, _Folder]:
    """All folders by path, the root as ""; each is there before what it contains."""
    tree = {"": _Folder({}, {}, is_root=True)}
    for path in sorted(files):
        folder = tree[""]
        prefix = ""
        *parents, name = path.strip("/").split("/")
        for parent in parents:
            prefix = f"{prefix}/{parent}"
            folder.folders[parent] = prefix
            folder = tree.setdefault(prefix, _Folder({}, {}, is_root=False))
        folder.files[name] = path
    return tree


def _clusters(size: int) -> int:
    return -(-size // SECTOR_SIZE)


def _check_room(
    files: Mapping[str, bytes], needed: Mapping[str, int], root: _Folder, geometry: _Geometry
) -> None:
    if root.entries > _ROOT_ENTRIES:
        raise UserError(
            f"the root folder needs {root.entries} entries and FAT has {_ROOT_ENTRIES} there",
            "move files to a folder",
        )
    total = sum(needed.values())
    if total > geometry.clusters:
        raise filesystem_image.too_big("FAT", files, total, geometry.clusters)


def _place(
    needed: Mapping[str, int], is_file: Mapping[str, bool], clusters: int
) -> dict[str, list[int]]:
    """Choose clusters, counted from 0, for every path.

    Each cluster of a path has an order of preference of its own, and takes the first that is free.
    Folders choose before files, then first clusters before second ones, and so on: whoever appears
    or grows displaces only what chooses later, a few clusters at worst, and never shifts the rest.
    """
    free = bytearray(b"\x01" * clusters)
    chains: dict[str, list[int]] = {path: [] for path in sorted(needed)}
    wanted = sorted((index, path) for path in chains for index in range(needed[path]))
    for index, path in sorted(wanted, key=lambda want: (is_file[want[1]], *want)):
        cluster = next(choice for choice in _preferences(path, index, clusters) if free[choice])
        free[cluster] = 0
        chains[path].append(cluster)
    return chains


def _preferences(path: str, index: int, clusters: int) -> Iterator[int]:
    """All clusters in the order in which this one of a path wants them."""
    # In line with the rest of the file, when nobody is there.
    yield (_hash(path) + index) % clusters
    start, step = divmod(_hash(f"{path}\0{index}"), clusters)
    while gcd(step, clusters) != 1:  # only such a step comes by all clusters
        step += 1
    for turn in range(clusters):
        yield (start + turn * step) % clusters


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def _write(
    files: Mapping[str, bytes],
    tree: Mapping[str, _Folder],
    chains: Mapping[str, list[int]],
    geometry: _Geometry,
    size: int,
) -> bytes:
    from pyfatfs.PyFat import PyFat

    end_of_chain = (1 << geometry.fat_bits) - 1
    blank = bytearray(b"\xff" * size)
    system_area = geometry.first_data_sector * SECTOR_SIZE
    blank[:system_area] = _boot_sector(geometry).ljust(system_area, b"\0")
    first_entries = end_of_chain << geometry.fat_bits | end_of_chain & ~0xFF | _MEDIA
    at = _RESERVED_SECTORS * SECTOR_SIZE
    blank[at : at + geometry.fat_bits // 4] = first_entries.to_bytes(
        geometry.fat_bits // 4, "little"
    )
    disk = _Disk(blank)
    fat = PyFat()
    fat.set_fp(disk)
    for path, chain in chains.items():
        numbers = [cluster + _FIRST_CLUSTER for cluster in chain]
        for number, following in pairwise([*numbers, end_of_chain]):
            fat.fat[number] = following
        data = files.get(path, b"")
        for index, number in enumerate(numbers):
            disk.seek(fat.get_data_cluster_address(number))
            disk.write(data[index * SECTOR_SIZE : (index + 1) * SECTOR_SIZE])

    entries = {"": fat.root_dir}
    for path, folder in tree.items():
        entry = entries[path]
        if path:
            parent = entries[path.rpartition("/")[0]]
            up = 0 if parent is fat.root_dir else parent.get_cluster()
            entry.add_subdirectory(_entry(b".".ljust(11), True, entry.get_cluster(), 0))
            entry.add_subdirectory(_entry(b"..".ljust(11), True, up, 0))
        aliases = _aliases([*folder.folders, *folder.files])
        for name, full_path in sorted({**folder.folders, **folder.files}.items()):
            is_folder = name in folder.folders
            first = chains[full_path][0] + _FIRST_CLUSTER if chains[full_path] else 0
            length = 0 if is_folder else len(files[full_path])
            child = _entry(aliases[name], is_folder, first, length, name)
            entry.add_subdirectory(child)
            if is_folder:
                entries[full_path] = child
        fat.update_directory_entry(entry)
    fat.flush_fat()
    fat.close()
    return disk.image


def _boot_sector(geometry: _Geometry) -> bytes:
    from pyfatfs.BootSectorHeader import FAT12BootSectorHeader

    header = FAT12BootSectorHeader()
    fits = geometry.sectors < 0x10000
    header.update(
        BS_jmpBoot=b"\xeb\xfe\x90",
        BS_OEMName=b"MSDOS5.0",  # what FatFs writes: some systems look at it
        BPB_BytsPerSec=SECTOR_SIZE,
        BPB_SecPerClus=1,
        BPB_RsvdSecCnt=_RESERVED_SECTORS,
        BPB_NumFATs=1,
        BPB_RootEntCnt=_ROOT_ENTRIES,
        BPB_TotSec16=geometry.sectors if fits else 0,
        BPB_Media=_MEDIA,
        BPB_FATSz16=geometry.fat_sectors,
        BPB_SecPerTrk=63,
        BPB_NumHeads=255,
        BPB_HiddSec=0,
        BPB_TotSec32=0 if fits else geometry.sectors,
        BS_DrvNum=0x80,
        BS_Reserved1=0,
        BS_BootSig=0x29,
        BS_VolID=_VOLUME_ID,
        BS_VolLab=b"NO NAME".ljust(11),
        BS_FilSysType=f"FAT{geometry.fat_bits}".encode().ljust(8),
    )
    return bytes(header).ljust(510, b"\0") + b"\x55\xaa"


def _entry(
    alias: bytes, is_folder: bool, cluster: int, size: int, name: str = ""
) -> FATDirectoryEntry:
    """A directory entry, with a long name when `name` needs one."""
    from pyfatfs.EightDotThree import EightDotThree
    from pyfatfs.FATDirectoryEntry import FATDirectoryEntry

    short_name = EightDotThree()
    short_name.set_byte_name(alias)
    attribute = FATDirectoryEntry.ATTR_DIRECTORY if is_folder else FATDirectoryEntry.ATTR_ARCHIVE
    return FATDirectoryEntry(
        DIR_Name=short_name,
        DIR_Attr=attribute,
        DIR_NTRes=0,
        DIR_CrtTimeTenth=0,
        DIR_CrtTime=_TIME,
        DIR_CrtDate=_DATE,
        DIR_LstAccessDate=_DATE,
        DIR_FstClusHI=0,
        DIR_WrtTime=_TIME,
        DIR_WrtDate=_DATE,
        DIR_FstClusLO=cluster,
        DIR_FileSize=size,
        lfn_entry=_long_name(name, short_name.checksum()) if _long_name_entries(name) else None,
    )


def _is_short(name: str) -> bool:
    """Whether a name is its own alias."""
    return _SHORT.fullmatch(name) is not None


def _long_name_entries(name: str) -> int:
    if not name or _is_short(name):
        return 0
    return -(-len(fat_names.stored(name)) // _LFN_UNITS)


def _long_name(name: str, checksum: int) -> Any:
    """The entries that hold a long name."""
    from pyfatfs.FATDirectoryEntry import FATLongDirectoryEntry

    encoded = fat_names.stored(name).encode("utf-16-le")
    total = _long_name_entries(name)
    if len(encoded) < total * _LFN_UNITS * 2:
        encoded += b"\0\0"
    encoded = encoded.ljust(total * _LFN_UNITS * 2, b"\xff")
    entry = FATLongDirectoryEntry()
    for number in range(1, total + 1):
        units = encoded[(number - 1) * _LFN_UNITS * 2 : number * _LFN_UNITS * 2]
        first, second, third = struct.unpack("10s12s4s", units)
        last = FATLongDirectoryEntry.LAST_LONG_ENTRY if number == total else 0
        entry.add_lfn_entry(number | last, first, 0x0F, 0, checksum, second, 0, third)
    return entry


def _aliases(names: list[str]) -> dict[str, bytes]:
    """The 8.3 name of each name of a folder: from a digest, so that no other name changes it."""
    taken = {name for name in names if _is_short(name)}
    aliases = {}
    for name in sorted(names):
        alias = name
        if name not in taken:
            stem, _, extension = name.rpartition(".") if "." in name else (name, "", "")
            stem, extension = (re.sub("[^A-Z0-9]", "", s.upper()) for s in (stem, extension))
            digest = f"{_hash(name) & 0xFFFF:04X}"
            for number in count(1):
                base = f"{stem[: 3 - len(str(number))]}{digest}~{number}"
                alias = f"{base}.{extension[:3]}".rstrip(".")
                if alias not in taken:
                    break
            taken.add(alias)
        base, _, extension = alias.partition(".")
        aliases[name] = f"{base:8}{extension:3}".encode()
    return aliases


class _Disk(BytesIO):
    """An image in memory that pyfatfs closes, and that is there afterwards."""

    image = b""

    def close(self) -> None:
        if not self.closed:
            self.image = self.getvalue()
        super().close()
