# SPDX-License-Identifier: MIT
"""Reading a FAT that a device has written to: what is there, and what is not whole."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from filesystem_reader import read_fat
from viper.image import fat_image
from viper.image.fat_volume import Damaged, FatVolume
from viper.image.sectors import SECTOR_SIZE

SIZE = 128 * SECTOR_SIZE
FILES = {
    "/settings.json": b"{}",
    "/empty": b"",
    "/UPPER.TXT": b"short name",
    "/it's ünusual & long": b"deep" * 5000,
    "/a/b/c/deep.bin": random.Random(1).randbytes(9000),
}
FAT = SECTOR_SIZE  # where the table begins


def reader(image: bytes | bytearray) -> Callable[[Sequence[int]], dict[int, bytes]]:
    return lambda numbers: {
        n: bytes(image[n * SECTOR_SIZE : (n + 1) * SECTOR_SIZE]) for n in numbers
    }


@pytest.fixture
def image() -> bytearray:
    return bytearray(fat_image.build(FILES, SIZE).data)


@pytest.mark.parametrize("size", [SIZE, 5000 * SECTOR_SIZE])  # FAT12 and FAT16
def test_it_reads_what_a_library_reads(size: int) -> None:
    image = fat_image.build(FILES, size).data
    volume = FatVolume(reader(image))
    files = {p: volume.content(p) for p, entry in volume.entries.items() if not entry.is_folder}
    assert files == {f"/{path}": data for path, data in read_fat(image).items()} == FILES
    assert [p for p, entry in volume.entries.items() if entry.is_folder] == ["/a", "/a/b", "/a/b/c"]
    assert volume.lost == 0


def test_metadata_is_all_but_the_data_of_files(image: bytearray) -> None:
    volume = FatVolume(reader(image))
    stripped = bytearray(SIZE)
    for number, content in volume.metadata.items():
        stripped[number * SECTOR_SIZE : (number + 1) * SECTOR_SIZE] = content
    assert FatVolume(reader(stripped)).entries == volume.entries
    assert len(volume.metadata) < 12


def damage_boot_sector(image: bytearray) -> None:
    image[510] = 0


def damage_table(image: bytearray) -> None:
    image[FAT : FAT + SECTOR_SIZE] = b"\xff" * SECTOR_SIZE  # as an erase leaves it


def make_a_loop(image: bytearray) -> None:
    cluster = FatVolume(reader(image)).entries["/it's ünusual & long"].clusters[1]
    at = FAT + cluster * 3 // 2
    pair = int.from_bytes(image[at : at + 2], "little")
    shift, kept = (4, 0x000F) if cluster % 2 else (0, 0xF000)
    image[at : at + 2] = (pair & kept | cluster << shift).to_bytes(2, "little")


def damage_folder(image: bytearray) -> None:
    root = FAT + SECTOR_SIZE
    image[root + 32 : root + SECTOR_SIZE] = b"\xff" * (SECTOR_SIZE - 32)


@pytest.mark.parametrize("damage", [damage_boot_sector, damage_table, make_a_loop, damage_folder])
def test_what_is_not_whole_is_told(image: bytearray, damage: Callable[[bytearray], None]) -> None:
    damage(image)
    with pytest.raises(Damaged):
        FatVolume(reader(image))


@pytest.mark.parametrize("seed", range(60))
def test_noise_is_damaged_or_readable_and_nothing_else(image: bytearray, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(chance.randrange(1, 40)):
        image[chance.randrange(7 * SECTOR_SIZE)] = chance.randrange(256)
    try:
        volume = FatVolume(reader(image))
        for path, entry in volume.entries.items():
            assert entry.is_folder or len(volume.content(path)) == entry.size
    except Damaged:
        pass
