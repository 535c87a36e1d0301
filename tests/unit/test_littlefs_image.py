# SPDX-License-Identifier: MIT
"""LittleFS2 images: whole, reproducible, and safe over whatever a flash held before."""

from __future__ import annotations

import random

import pytest
from filesystem_reader import read_littlefs
from viper.base.errors import UserError
from viper.image import littlefs_image
from viper.image.sectors import SECTOR_SIZE

PARTITION = 0x9F0000  # of the shipped layout

FILES = {
    "/boot.py": b"import app\n",
    "/main.py": b"",
    "/www/index.html": b"<h1>hi</h1>" * 40,
    "/www/css/app.min.css.gz": b"y" * 4097,
    "/www/größe/été.txt": b"\xff" * 100_000,
    "/www/a:b?.txt": b"FAT holds no such name",
    **{f"/www/many/{i}.html": b"%d" % i * 300 for i in range(100)},
}


def relative(files: dict[str, bytes]) -> dict[str, bytes]:
    return {path.lstrip("/"): content for path, content in files.items()}


def test_it_holds_the_files() -> None:
    image = littlefs_image.build(FILES, PARTITION)
    assert len(image.data) == PARTITION
    assert read_littlefs(image.data) == relative(FILES)
    assert image.data[8:16] == b"littlefs"  # what MicroPython's mount looks for


def test_the_same_files_give_the_same_image() -> None:
    backwards = dict(reversed(FILES.items()))
    assert littlefs_image.build(backwards, PARTITION) == littlefs_image.build(FILES, PARTITION)


def test_what_nothing_uses_is_erased_flash() -> None:
    image = littlefs_image.build(FILES, PARTITION)
    used = {block for first, count in image.used for block in range(first, first + count)}
    for block in set(range(PARTITION // SECTOR_SIZE)) - used:
        at = slice(block * SECTOR_SIZE, (block + 1) * SECTOR_SIZE)
        assert image.data[at] == b"\xff" * SECTOR_SIZE
    assert len(used) < 150


def test_used_blocks_over_an_older_image_make_a_whole_file_system() -> None:
    """A metadata block that a newer revision hides must not come back from an older image."""
    source = random.Random(1)
    older = {f"/www/many/{i}/x": source.randbytes(source.randint(0, 9000)) for i in range(300)}
    image = littlefs_image.build(FILES, PARTITION)
    flash = bytearray(littlefs_image.build(older, PARTITION).data)
    for first, count in image.used:
        at = slice(first * SECTOR_SIZE, (first + count) * SECTOR_SIZE)
        flash[at] = image.data[at]
    assert read_littlefs(bytes(flash)) == relative(FILES)


def test_too_big_says_by_how_much_and_names_the_largest() -> None:
    files = {f"/file{i}": bytes(i * 1000) for i in range(1, 10)}
    files["/huge"] = bytes(PARTITION)
    with pytest.raises(UserError) as caught:
        littlefs_image.build(files, PARTITION)
    over = int(caught.value.what.split(": ")[1].split()[0])
    assert 0 < over < 40 * SECTOR_SIZE
    assert "/huge (10420224 bytes), /file9 (9000 bytes), /file8" in caught.value.next_step
    littlefs_image.build({**files, "/huge": bytes(PARTITION - over - SECTOR_SIZE)}, PARTITION)


def test_a_size_that_is_no_multiple_of_a_block_is_refused() -> None:
    with pytest.raises(UserError, match="cannot fill a partition of 0x9f0001 bytes"):
        littlefs_image.build({}, PARTITION + 1)
