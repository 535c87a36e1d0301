# SPDX-License-Identifier: MIT
"""FAT images: whole, reproducible, and little changed by a small edit."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import tempfile
from collections.abc import Mapping

import pytest
from filesystem_reader import read_fat
from hypothesis import given, settings
from hypothesis import strategies as st
from viper.base.errors import UserError
from viper.image import fat_image
from viper.image.filesystem_image import FilesystemImage
from viper.image.sectors import SECTOR_SIZE

PARTITION = 0x9F0000  # of the shipped layout
BUDGET = 64 * 1024  # bytes that an edited asset may cost to flash


def site(count: int, seed: int = 1) -> dict[str, bytes]:
    """Files of 0.1 to 20 kB in seven folders."""
    source = random.Random(seed)
    return {
        f"/www/folder {i % 7}/asset number {i}.html": source.randbytes(source.randint(100, 20000))
        for i in range(count)
    }


def fsck(image: bytes) -> str:
    """What `fsck.fat -n` says of an image that it finds no fault with."""
    # Debian keeps it where only root's PATH leads.
    command = shutil.which("fsck.fat", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    assert command, "fsck.fat is missing: apt install dosfstools"
    with tempfile.NamedTemporaryFile(suffix=".img") as file:
        file.write(image)
        file.flush()
        done = subprocess.run(
            [command, "-n", "-v", file.name], capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def relative(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {path.lstrip("/"): content for path, content in files.items()}


def changed(before: FilesystemImage, after: FilesystemImage) -> int:
    """Bytes of the sectors in which two images differ."""
    starts = range(0, len(before.data), SECTOR_SIZE)
    slices = (slice(start, start + SECTOR_SIZE) for start in starts)
    return sum(before.data[at] != after.data[at] for at in slices) * SECTOR_SIZE


FILES = {
    "/boot.py": b"import app\n",
    "/main.py": b"",
    "/README": b"a name that needs no alias",
    "/www/index.html": b"<h1>hi</h1>",
    "/www/css/app.min.css": b"x" * 4096,
    "/www/css/app.min.css.gz": b"y" * 4097,
    "/www/größe/été.txt": b"\xff" * 10000,
    "/www/A B.TXT": b"spaces",
    "/www/" + "n" * 255: b"long",
    "/www/thirteen.1234": b"a name that fills an entry",
}


def test_it_holds_the_files() -> None:
    image = fat_image.build(FILES, PARTITION)
    assert len(image.data) == PARTITION
    assert read_fat(image.data) == relative(FILES)
    said = fsck(image.data)
    assert "4096 bytes per logical sector" in said
    assert "12 bit entries" in said


def test_the_same_files_give_the_same_image() -> None:
    backwards = dict(reversed(FILES.items()))
    assert fat_image.build(backwards, PARTITION) == fat_image.build(FILES, PARTITION)


def test_the_image_is_made_for_4096_byte_sectors_and_has_no_time() -> None:
    data = fat_image.build(FILES, PARTITION).data
    assert data[11:13] == (4096).to_bytes(2, "little")
    assert data[510:512] == b"\x55\xaa"
    assert int.from_bytes(data[39:43], "little") == 0x56495045  # the volume id
    root = data[2 * SECTOR_SIZE : 6 * SECTOR_SIZE]
    entries = (root[at : at + 32] for at in range(0, len(root), 32))
    times = {entry[13:20] + entry[22:26] for entry in entries if entry[0] and entry[11] != 0x0F}
    assert times == {bytes.fromhex("00 0000 2100 2100 0000 2100")}  # 1980-01-01


def test_what_nothing_uses_is_erased_flash() -> None:
    image = fat_image.build(FILES, PARTITION)
    used = {sector for first, count in image.used for sector in range(first, first + count)}
    assert len(used) == sum(count for _, count in image.used)  # no sector twice
    for sector in range(PARTITION // SECTOR_SIZE):
        if sector not in used:
            at = slice(sector * SECTOR_SIZE, (sector + 1) * SECTOR_SIZE)
            assert image.data[at] == b"\xff" * SECTOR_SIZE
    assert len(used) < 25


def test_used_sectors_over_an_older_image_make_a_whole_file_system() -> None:
    """Only used sectors are flashed: what an older image left in the others must not matter."""
    image = fat_image.build(FILES, PARTITION)
    flash = bytearray(fat_image.build(site(300), PARTITION).data)
    for first, count in image.used:
        at = slice(first * SECTOR_SIZE, (first + count) * SECTOR_SIZE)
        flash[at] = image.data[at]
    fsck(bytes(flash))
    assert read_fat(bytes(flash)) == relative(FILES)


@pytest.mark.parametrize("count", [10, 500, 800], ids=["empty", "60 % full", "95 % full"])
def test_an_edit_changes_little(count: int) -> None:
    files = site(count)
    before = fat_image.build(files, PARTITION)
    for path in sorted(files)[:: count // 5]:
        edited = files[path][:-50] + b"edited" * 5
        assert changed(before, fat_image.build({**files, path: edited}, PARTITION)) <= 28 * 1024
        grown = files[path] + b"grown" * 1500  # two clusters more
        assert changed(before, fat_image.build({**files, path: grown}, PARTITION)) <= BUDGET


@pytest.mark.parametrize("count", [10, 500], ids=["empty", "60 % full"])
def test_adding_and_removing_a_file_changes_little(count: int) -> None:
    files = site(count)
    before = fat_image.build(files, PARTITION)
    more = fat_image.build({**files, "/www/folder 3/new.css": b"n" * 10000}, PARTITION)
    assert changed(before, more) <= BUDGET
    removed = sorted(files)[count // 2]
    fewer = {path: content for path, content in files.items() if path != removed}
    assert changed(before, fat_image.build(fewer, PARTITION)) <= BUDGET


def test_a_full_partition() -> None:
    room = PARTITION - 6 * SECTOR_SIZE
    image = fat_image.build({"/all": b"a" * room}, PARTITION)
    assert image.used == [(0, PARTITION // SECTOR_SIZE)]
    assert read_fat(image.data) == {"all": b"a" * room}
    fsck(image.data)


def test_too_big_says_by_how_much_and_names_the_largest() -> None:
    files = {f"/file{i}": bytes(i * 1000) for i in range(1, 10)}
    files["/huge"] = bytes(PARTITION)
    with pytest.raises(UserError) as caught:
        fat_image.build(files, PARTITION)
    # The small files take 15 clusters, and the system itself 6 of those that /huge wants.
    assert "86016 too many" in caught.value.what
    assert caught.value.next_step == (
        "the largest: /huge (10420224 bytes), /file9 (9000 bytes), /file8 (8000 bytes), "
        "/file7 (7000 bytes), /file6 (6000 bytes)"
    )


def test_too_many_files_in_the_root_folder() -> None:
    with pytest.raises(UserError, match="the root folder needs 514 entries and FAT has 512"):
        fat_image.build({f"/{i}.html": b"" for i in range(257)}, PARTITION)


def test_a_name_that_fat_cannot_hold_is_refused() -> None:
    with pytest.raises(UserError, match=r"a\?b"):
        fat_image.build({"/a?b": b""}, PARTITION)


# Around 4085 clusters FAT12 ends and FAT16 begins, and implementations draw the line differently.
@pytest.mark.parametrize("sectors", [9, 100, 2544, *range(4084, 4108), 6640])
def test_partitions_of_other_sizes(sectors: int) -> None:
    files = {f"/www/{i}.txt": b"a" * 5000 for i in range(min(sectors // 8, 200))}
    image = fat_image.build(files, sectors * SECTOR_SIZE)
    assert read_fat(image.data) == relative(files)
    assert ("16 bit" if sectors > 4103 else "12 bit") in fsck(image.data)


@pytest.mark.parametrize("size", [0x9F0001, SECTOR_SIZE, 70000 * SECTOR_SIZE])
def test_a_size_that_fat_cannot_fill_is_refused(size: int) -> None:
    with pytest.raises(UserError, match="cannot fill a partition of"):
        fat_image.build({}, size)


NAME = st.text(st.characters(codec="utf-8", exclude_characters='"*:<>?|\\/\x7f', min_codepoint=32))


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(NAME.filter(lambda n: n.strip(" .") == n != ""), st.binary(max_size=5000)))
def test_whatever_is_not_refused_is_held(files: dict[str, bytes]) -> None:
    paths = {f"/d/{name}": content for name, content in files.items()}
    try:
        image = fat_image.build(paths, 1 << 18)
    except UserError:
        return  # two names that FAT cannot tell apart
    assert read_fat(image.data) == relative(paths)
    fsck(image.data)
