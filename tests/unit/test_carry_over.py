# SPDX-License-Identifier: MIT
"""Data partitions that move, shrink, grow, change or vanish: what is told, kept, and never lost."""

from __future__ import annotations

import hashlib
import random
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from nor_chip import SECTOR, NorChip, PowerLost
from viper.base.errors import UserError
from viper.flash.sector_plan import Region
from viper.flash.writing import FILESYSTEM, File, Image, Part
from viper.image import fat_image, filesystem_reader, littlefs_image, ownership, partition_table
from viper.image.partition_table import PartitionTable
from viper.sync import theirs
from viper.update import backup, carry_over
from viper.update.carry_over import CarryOver, DataKeeper, Tell
from viper.update.merging import Keeping

FLASH_SIZE = 1 << 20
BUILD = {"fat": fat_image.build, "littlefs": littlefs_image.build}
OWN = {
    "/settings.json": b'{"theme": "dark"}',
    "/empty": b"",
    "/data/a b/it's ünusual.txt": b"deep" * 3000,
    "/data/deep/er/and/deeper/log": random.Random(3).randbytes(9000),
}
NVS = b"\xfe\xff" + random.Random(4).randbytes(13_000)
OLD = """
nvs,      data, nvs,   0x9000,  16K,
otadata,  data, ota,   0xd000,  8K,
factory,  app,  factory, 0x10000, 64K,
vfs,      data, fat,   0x20000, 512K,
"""


class Scene:
    """A chip with data of its own, and a build folder."""

    def __init__(self, folder: Path, fs: str = "fat", own: Mapping[str, bytes] = OWN) -> None:
        self.folder = folder
        self.root = folder / "backups"
        self.chip = NorChip(FLASH_SIZE // SECTOR)
        self.own = own
        self.told: list[str] = []
        self.keeping = Keeping(theirs.parse(""), [], "./scons flash")
        self.page = folder / "index.html"
        self.page.write_text("old")
        ours = {"/www/index.html": b"old", "/www/gone.html": b"gone"}
        digests = {path: hashlib.sha256(content).hexdigest() for path, content in ours.items()}
        self.write(OLD, {**own, **ours, ownership.PATH: ownership.note(digests)}, fs)
        self.page.write_text("new")

    def write(self, csv: str, files: Mapping[str, bytes], fs: str) -> None:
        table = self.table(csv)
        self.put(partition_table.TABLE_OFFSET, table.to_binary())
        self.put(table["nvs"].offset, NVS)
        self.put(table["vfs"].offset, BUILD[fs](files, table["vfs"].size).data)

    def put(self, offset: int, data: bytes) -> None:
        self.chip.flash[offset : offset + len(data)] = data

    def table(self, csv: str) -> PartitionTable:
        return partition_table.from_csv(csv, FLASH_SIZE, "esp32s3")

    def image(self, csv: str, fs: str = "fat") -> Image:
        table = self.table(csv)
        content = self.page.read_bytes()
        vfs = BUILD[fs]({"/www/index.html": content}, table["vfs"].size).data
        return Image(
            board="TEST",
            chip="esp32s3",
            psram_size=0,
            flash_size=FLASH_SIZE,
            parts=(
                Part("partition-table", "firmware", Region(0x8000, table.to_binary())),
                Part("otadata", "firmware", Region(table["otadata"].offset, b"\xff" * 8192)),
                Part("factory", "firmware", Region(table["factory"].offset, b"\xe9app" * 2000)),
                Part("vfs", FILESYSTEM, Region(table["vfs"].offset, vfs)),
            ),
            files={"/www/index.html": File(hashlib.sha256(content).hexdigest(), self.page)},
        )

    def keeper(self, csv: str, fs: str = "fat") -> DataKeeper:
        def line(tag: str, text: str) -> None:
            self.told.append(f"{tag} {text}")

        tell = Tell(line, lambda size, tag: None, lambda done: None)
        image = self.image(csv, fs)
        return DataKeeper(image, self.chip, self.root, "virtual:x", self.keeping, tell)

    def flash(self, csv: str, fs: str = "fat", choice: str = "keep") -> CarryOver | None:
        carry = self.keeper(csv, fs).prepare(choice)
        if carry is not None:
            self.perform(carry)
        return carry

    def perform(self, carry: CarryOver) -> None:
        session = carry.session(self.chip, self.folder / "stamps")
        session.write(carry_over.closed_for_writing(self.chip, session.plan()), lambda done: None)

    def region(self, csv: str, name: str) -> bytes:
        entry = self.table(csv)[name]
        return bytes(self.chip.flash[entry.offset : entry.end])

    def files(self, csv: str) -> dict[str, bytes]:
        raw = self.region(csv, "vfs")
        found = filesystem_reader.open_partition(lambda at, size: raw[at : at + size], len(raw))
        assert found is not None
        return {path: found.content(path) for path in found.sizes}

    def assert_carried(self, csv: str, fs: str = "fat") -> None:
        found = self.files(csv)
        assert found.pop("/www/index.html") == b"new"
        noted = found.pop(ownership.PATH)
        assert noted == ownership.note({"/www/index.html": hashlib.sha256(b"new").hexdigest()})
        assert found == self.own
        assert self.region(csv, "nvs").startswith(NVS)
        assert self.region(csv, "nvs")[len(NVS) :].strip(b"\xff") == b""
        assert filesystem_reader.kind(self.region(csv, "vfs")) == fs


CHANGES = {
    "moved": OLD.replace("0x20000, 512K", "0x80000, 512K"),
    "shrunk": OLD.replace("512K", "128K"),
    "grown": OLD.replace("512K", "768K"),
    "moved and grown over the application": OLD.replace("64K", "32K").replace(
        "0x20000, 512K", "0x18000, 800K"
    ),
    "nvs moved": """
otadata,  data, ota,   0x9000,  8K,
nvs,      data, nvs,   0xb000,  20K,
factory,  app,  factory, 0x10000, 64K,
vfs,      data, fat,   0x20000, 512K,
""",
}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.mark.parametrize("fs", ["fat", "littlefs"])
@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_place_and_size_keeps_every_file(
    tmp_path: Path, change: str, fs: str
) -> None:
    scene = Scene(tmp_path, fs)
    carry = scene.flash(CHANGES[change], fs)
    assert carry is not None
    scene.assert_carried(CHANGES[change], fs)
    assert partition_table.on_chip(scene.chip.read, FLASH_SIZE).to_binary() == (
        scene.table(CHANGES[change]).to_binary()
    )
    carry.finish()
    assert scene.flash(CHANGES[change], fs) is None


@pytest.mark.parametrize(("before", "after"), [("fat", "littlefs"), ("littlefs", "fat")])
def test_another_file_system_in_the_same_place_keeps_every_file(
    tmp_path: Path, before: str, after: str
) -> None:
    scene = Scene(tmp_path, before)
    with pytest.raises(UserError, match="with them vfs"):
        scene.flash(OLD, after, choice="")
    assert any("would be formatted: 6 files" in line for line in scene.told)
    scene.flash(OLD, after)
    scene.assert_carried(OLD, after)


def test_without_a_word_nothing_is_written_and_each_fate_is_told(scene: Scene) -> None:
    before = bytes(scene.chip.flash)
    csv = CHANGES["moved"].replace("nvs,      data, nvs,   0x9000,  16K,\n", "")
    with pytest.raises(UserError, match="with them nvs, vfs") as caught:
        scene.flash(csv, choice="")
    assert "./scons flash PORT=virtual:x REPARTITION=keep" in caught.value.next_step
    assert scene.told == [
        "DATA nvs  would be lost: 12.7 KiB of data, 0x9000 16 KiB → nowhere",
        "DATA vfs  would be moved: 6 files, 20.5 KiB, 0x20000 512 KiB → 0x80000 512 KiB",
    ]
    assert scene.chip.flash == before and not scene.root.exists()


def test_a_table_that_stays_asks_nothing(scene: Scene) -> None:
    assert scene.flash(OLD, choice="") is None
    assert scene.flash(OLD.replace("64K", "32K"), choice="") is None  # an application's slot


def test_a_renamed_partition_is_known_by_its_kind(scene: Scene) -> None:
    csv = OLD.replace("nvs,  ", "store,", 1)
    assert scene.flash(csv, choice="") is None


def test_what_does_not_fit_stops_before_the_first_write(scene: Scene) -> None:
    before = bytes(scene.chip.flash)
    with pytest.raises(UserError, match=r"take \d+ bytes of a FAT that holds \d+"):
        scene.flash(OLD.replace("512K", "40K"))
    with pytest.raises(UserError, match="'nvs' holds 13002 bytes, and 'nvs' will have 12288"):
        scene.flash(OLD.replace("0x9000,  16K", "0x9000,  12K"))
    assert scene.chip.flash == before


def test_a_full_file_system_moves(tmp_path: Path) -> None:
    room = 512 * 1024 // SECTOR - 6 - 6
    scene = Scene(tmp_path, own={f"/{n}": bytes([n]) * SECTOR for n in range(room)})
    scene.flash(CHANGES["moved"])
    scene.assert_carried(CHANGES["moved"])


def test_wipe_loses_it_as_said_and_leaves_nothing_that_micropython_would_trip_over(
    scene: Scene,
) -> None:
    csv = CHANGES["moved and grown over the application"]
    scene.flash(csv, choice="wipe")
    assert scene.files(csv) == {"/www/index.html": b"new"}
    assert scene.region(csv, "nvs") == b"\xff" * 0x4000


def test_a_corrupt_file_system_is_kept_raw_and_not_taken_for_an_empty_one(scene: Scene) -> None:
    vfs = scene.table(OLD)["vfs"]
    scene.put(vfs.offset + SECTOR, b"\x77" * SECTOR)  # its table
    with pytest.raises(UserError, match="cannot be read"):
        scene.flash(CHANGES["moved"])
    folder = scene.keeper(OLD).back_up()
    assert (folder / "raw/vfs.bin").read_bytes() == scene.region(OLD, "vfs")


def test_a_backup_is_plain_files_that_nobody_else_may_read(scene: Scene) -> None:
    folder = scene.keeper(OLD).back_up()
    assert folder.parent.name == scene.chip.mac
    for parent in (folder, folder.parent, scene.root):
        assert stat.S_IMODE(parent.stat().st_mode) == 0o700
    for path, content in OWN.items():
        assert (folder / "vfs" / path[1:]).read_bytes() == content
    assert (folder / "raw/nvs.bin").read_bytes().startswith(NVS)
    loaded = backup.load(folder)
    assert loaded.partitions["vfs"].files.keys() > OWN.keys()
    (folder / "vfs/settings.json").write_text("edited")
    with pytest.raises(UserError, match=r"settings\.json was changed since"):
        backup.load(folder)


@pytest.mark.parametrize("fs", ["fat", "littlefs"])
def test_a_backup_holds_no_token(tmp_path: Path, fs: str) -> None:
    secret = hashlib.sha256(b"token").hexdigest().encode()
    scene = Scene(tmp_path, fs, {**OWN, "/device.token": secret + b"\n"})
    folder = scene.keeper(OLD).back_up()
    for path in folder.rglob("*"):
        assert path.is_dir() or secret not in path.read_bytes(), path
    loaded = backup.load(folder).partitions["vfs"]
    assert loaded.files.keys() == {*OWN, "/www/index.html", "/www/gone.html", ownership.PATH}
    raw = loaded.raw
    found = filesystem_reader.open_partition(lambda at, size: raw[at : at + size], len(raw))
    assert found is not None and found.sizes.keys() == loaded.files.keys()


@pytest.mark.parametrize("fs", ["fat", "littlefs"])
def test_the_token_survives_a_repartition(tmp_path: Path, fs: str) -> None:
    scene = Scene(tmp_path, fs, {"/device.token": b"secret"})
    scene.flash(CHANGES["moved"], fs)
    assert scene.files(CHANGES["moved"])["/device.token"] == b"secret"


@pytest.mark.parametrize("name", ["..", ".", "raw", "manifest.json", "a/b", "\x1b[31m/x"])
def test_a_partition_that_a_backup_cannot_be_named_by_is_refused(tmp_path: Path, name: str) -> None:
    scene = Scene(tmp_path)
    table = scene.table(OLD)
    odd = replace(table["nvs"], name=name)
    entries = (odd, *[entry for entry in table if entry.name != "nvs"])
    scene.put(partition_table.TABLE_OFFSET, PartitionTable(entries).to_binary())
    with pytest.raises(UserError, match=r"the device has a (partition|file) called"):
        scene.keeper(OLD).back_up()
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path != scene.page]


@pytest.mark.parametrize("fs", ["fat", "littlefs"])
def test_a_backup_reads_what_a_file_system_uses(tmp_path: Path, fs: str) -> None:
    """What deleted files have left is neither blank nor anybody's."""
    scene = Scene(tmp_path, fs)
    vfs = scene.table(OLD)["vfs"]
    used = {**scene.own, "/www/index.html": b"old", "/www/gone.html": b"gone"}
    blank = bytearray(scene.region(OLD, "vfs"))
    free = [
        at for at in range(0, len(blank), SECTOR) if blank[at : at + SECTOR].strip(b"\xff") == b""
    ]
    for at in free:
        scene.put(vfs.offset + at, b"left" * (SECTOR // 4))
    scene.chip.sent = 0
    folder = scene.keeper(OLD).back_up()
    size = sum(-(-len(content) // SECTOR) * SECTOR for content in used.values())
    others = sum(scene.table(OLD)[name].size for name in ("nvs", "otadata"))
    tables = 18 * SECTOR  # tables and folders of either file system, and of the partitions
    assert scene.chip.sent <= size + others + tables < vfs.size / 2
    for path, content in scene.own.items():
        assert (folder / "vfs" / path[1:]).read_bytes() == content
    # It is a file system still, and a device gets it back whole.
    scene.put(vfs.offset, b"\xff" * vfs.size)
    scene.perform(scene.keeper(OLD).restore(folder))
    scene.assert_carried(OLD)


def test_a_file_system_that_reaches_beyond_its_partition_is_kept_raw(scene: Scene) -> None:
    vfs = scene.table(OLD)["vfs"]
    large = fat_image.build({"/large": b"large" * (vfs.size // 5)}, vfs.size * 3 // 2).data
    scene.put(vfs.offset, large[: vfs.size])
    folder = scene.keeper(OLD).back_up()
    assert (folder / "raw/vfs.bin").read_bytes() == large[: vfs.size]
    assert "beyond its partition" in (folder / "manifest.json").read_text()


def test_a_backup_is_restored_and_what_was_there_is_saved_first(scene: Scene) -> None:
    folder = scene.keeper(OLD).back_up()
    scene.write(OLD, {"/later": b"made after the backup"}, "fat")
    scene.perform(scene.keeper(OLD).restore(folder))
    scene.assert_carried(OLD)
    first, second = backup.every(scene.root, scene.chip.mac)
    assert first == folder
    assert backup.load(second).partitions["vfs"].files == {"/later": b"made after the backup"}


def test_restore_names_the_backups_that_there_are(scene: Scene) -> None:
    with pytest.raises(UserError) as caught:
        scene.keeper(OLD).restore(None)
    assert caught.value.next_step == "there is no backup of it"
    folder = scene.keeper(OLD).back_up()
    with pytest.raises(UserError) as caught:
        scene.keeper(OLD).restore(None)
    assert caught.value.next_step == f"say which backup: FROM={folder}"


def cut_and_finish(scene: Scene, csv: str, power: int, finish: str) -> None:
    scene.chip.power = power
    with pytest.raises(PowerLost):
        scene.flash(csv)
    scene.chip.power = None
    if finish == "flash":
        scene.flash(csv, choice="")
    else:
        scene.perform(scene.keeper(csv).restore(None))
    scene.assert_carried(csv)


def programmed_by_keep(folder: Path, csv: str) -> int:
    scene = Scene(folder)
    scene.chip.power = 1 << 30
    scene.flash(csv)
    return (1 << 30) - scene.chip.power


def run_matrix(folder: Path, csv: str, points: int) -> None:
    (folder / "whole").mkdir()
    total = programmed_by_keep(folder / "whole", csv)
    for number in range(points):
        place = folder / str(number)
        place.mkdir()
        power = total * (2 * number + 1) // (2 * points)
        cut_and_finish(Scene(place), csv, power, ("flash", "restore")[number % 2])
    print(f"keep: {points} cuts within {total} bytes, nothing lost")


def test_a_keep_that_loses_power_is_finished_by_flash_or_restore(tmp_path: Path) -> None:
    run_matrix(tmp_path, CHANGES["moved and grown over the application"], 10)


@pytest.mark.long
@pytest.mark.parametrize("change", CHANGES)
def test_a_keep_that_loses_power_at_any_of_fifty_points_is_finished(
    tmp_path: Path, change: str
) -> None:
    run_matrix(tmp_path, CHANGES[change], 50)


def test_a_chip_that_loses_power_during_a_keep_boots_nothing(scene: Scene) -> None:
    """Neither table may meet a file system that is half there."""
    scene.chip.power = 20 * SECTOR
    with pytest.raises(PowerLost):
        scene.flash(CHANGES["moved"])
    assert not partition_table.on_chip(scene.chip.read, FLASH_SIZE).entries
    with pytest.raises(UserError, match="was interrupted"):
        scene.keeper(CHANGES["moved"]).plan()


def without_md5(table: bytes) -> bytes:
    return table[: table.index(b"\xeb\xeb" + b"\xff" * 14)].ljust(len(table), b"\xff")


def test_a_table_without_an_md5_has_data_like_any_other(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    moved = OLD.replace("0x20000, 512K", "0x80000, 512K")
    scene.put(partition_table.TABLE_OFFSET, without_md5(scene.table(OLD).to_binary()))
    with pytest.raises(UserError, match=r"the partitions of .* change"):
        scene.flash(moved, choice="")
    scene.flash(moved)
    scene.assert_carried(moved)


@pytest.mark.parametrize("goal", ["flash", "plan", "backup", "restore"])
def test_a_device_whose_table_cannot_be_read_is_left_alone(tmp_path: Path, goal: str) -> None:
    scene = Scene(tmp_path)
    saved = scene.keeper(OLD).back_up()
    scene.put(partition_table.TABLE_OFFSET + 40, b"?")
    keeper = scene.keeper(OLD)
    work = {
        "flash": lambda: keeper.prepare(""),
        "plan": keeper.plan,
        "backup": keeper.back_up,
        "restore": lambda: keeper.restore(saved),
    }
    with pytest.raises(UserError, match="is not known: partition table's MD5") as refused:
        work[goal]()
    assert "REPARTITION=wipe" in refused.value.next_step


def test_a_device_whose_table_cannot_be_read_is_wiped_when_that_is_said(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.put(partition_table.TABLE_OFFSET + 40, b"?")
    scene.flash(OLD, choice="wipe")
    assert set(scene.files(OLD)) == {"/www/index.html"}


@pytest.mark.parametrize("written", [0, 1, 31, 32, 64, 100, 127])
def test_a_table_whose_writing_broke_off_is_written_again(tmp_path: Path, written: int) -> None:
    scene = Scene(tmp_path)
    table = scene.table(OLD).to_binary()
    scene.put(partition_table.TABLE_OFFSET, table[:written].ljust(len(table), b"\xff"))
    assert scene.keeper(OLD).prepare("") is None
    assert scene.keeper(OLD).plan() == []
