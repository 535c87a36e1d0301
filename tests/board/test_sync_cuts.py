"""Power that fails during a sync: nothing of the user's is lost, and the next one ends it.

The sync runs in this process; the board is the real one, with MicroPython's own FatFs and littlefs.
"""

from __future__ import annotations

import io
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from flash_image import VFS, VFS_SIZE
from mpremote.transport_serial import SerialTransport
from running_board import Board
from site_image import Site, on_device, sha256
from unit.filesystem_reader import read_fat, read_littlefs
from viper.base.errors import UserError
from viper.device import repl
from viper.device.held_port import HeldPort
from viper.flash import jobs
from viper.flash.jobs import SYNC
from viper.image import fat_image, littlefs_image, ownership
from viper.image.sectors import SECTOR_SIZE
from viper.sync import fat_journal
from viper.update import flasher
from viper.virtual_board import control

POINTS = 10
NewBoard = Callable[..., Board]

OWN_FILES = {
    "/settings.json": b"{}" * 700,
    "/empty": b"",
    '/data/deep/er/it\'s "mine".txt'.replace('"', "_"): b"deep" * 5000,
    "/data/größe.bin": random.Random(1).randbytes(30_000),
}


class Cuts:
    """A board with files of its own, whose power fails at any byte of a sync."""

    def __init__(self, board: Board, site: Site) -> None:
        self.board = board
        self.site = site
        self.before = board.flash
        site.texts["/www/index.html"] = "edited" * 3000
        site.texts["/www/new/page.html"] = "new" * 9000
        site.texts["/main.py"] += "print('edited')\n"
        del site.texts["/www/old.txt"]
        self.request = site.request(board, goal=SYNC)

    def total(self) -> int:
        """How many bytes an undisturbed sync programs."""
        counted = control.counters(self.board.folder).bytes_programmed
        self.sync()
        return control.counters(self.board.folder).bytes_programmed - counted

    def sync(self) -> None:
        with HeldPort(os.getpid()) as held:
            flasher.Flasher(self.request, io.StringIO(), held).run()

    def cut(self, after: int) -> None:
        """Let the power fail, from the state before the sync, and give it again."""
        self.start_over()
        control.set_faults(self.board.folder, power_after_bytes=after)
        with pytest.raises(UserError):
            self.sync()
        self.board.wait_for_mode("off")
        control.set_faults(self.board.folder)

    def start_over(self) -> None:
        control.power_off(self.board.folder)
        with (self.board.folder / "flash.bin").open("r+b") as flash:
            flash.write(self.before)
        fat_journal.clear(self.site.stamps, self.board.info.mac)
        control.power_on(self.board.folder)

    def put_back(self) -> None:
        """What the next sync does first, without esptool, which has a test of its own."""
        journal = fat_journal.load(self.site.stamps, self.board.info.mac)
        if journal is not None:
            fat_journal.put_back(journal, self.read, self.write)
            fat_journal.clear(self.site.stamps, self.board.info.mac)

    def read(self, sectors: Sequence[int]) -> dict[int, bytes]:
        vfs = self.board.flash[VFS : VFS + VFS_SIZE]
        return {n: vfs[n * SECTOR_SIZE : (n + 1) * SECTOR_SIZE] for n in sectors}

    def write(self, first: int, content: bytes) -> None:
        with (self.board.folder / "flash.bin").open("r+b") as flash:
            flash.seek(VFS + first * SECTOR_SIZE)
            flash.write(content)

    def files(self) -> dict[str, bytes]:
        """All files, by a library."""
        read = {"fat": read_fat, "littlefs": read_littlefs}[self.site.fs]
        return {f"/{path}": data for path, data in read(self.board.flash[VFS:][:VFS_SIZE]).items()}

    def assert_nothing_is_lost(self) -> None:
        found = self.files()
        assert {path: found.get(path) for path in OWN_FILES} == OWN_FILES

    def assert_done(self) -> None:
        self.assert_nothing_is_lost()
        self.sync()  # what the one before took out is served until then
        wanted = {path: text.encode() for path, text in self.site.texts.items()} | OWN_FILES
        assert on_device(self.board) == {path: sha256(data) for path, data in wanted.items()}


@pytest.fixture(scope="module", params=["fat", "littlefs"])
def cuts(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    parts: dict[int, bytes],
    built: Path,
    new_shared_board: NewBoard,
) -> Cuts:
    site = Site(tmp_path_factory.mktemp("site"), parts, built)
    site.fs = request.param
    site.texts["/main.py"] = "print('application runs')\n"
    site.make()
    build = {"fat": fat_image.build, "littlefs": littlefs_image.build}[site.fs]
    texts = {path: text.encode() for path, text in site.texts.items()}
    note = ownership.note({path: sha256(text) for path, text in texts.items()})
    whole = bytearray(site.whole())
    whole[VFS : VFS + VFS_SIZE] = build(texts | OWN_FILES | {ownership.PATH: note}, VFS_SIZE).data
    return Cuts(new_shared_board(site.fs, flash=bytes(whole)), site)


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repl, "_QUIET_S", 0.5)
    monkeypatch.setattr(SerialTransport.read_until, "__defaults__", (0.5, None, None))


def run_matrix(cuts: Cuts, points: int) -> None:
    cuts.start_over()
    total = cuts.total()
    for number in range(points):
        at = total * (2 * number + 1) // (2 * points)
        cuts.cut(at)
        cuts.put_back()
        cuts.assert_nothing_is_lost()
        control.power_on(cuts.board.folder)
        cuts.sync()
        cuts.assert_done()
    print(f"{cuts.site.fs}: {points} cuts within {total} bytes, nothing lost")


def test_a_sync_that_loses_power_loses_nothing_and_is_finished_by_the_next(cuts: Cuts) -> None:
    run_matrix(cuts, POINTS)


@pytest.mark.long
def test_a_sync_that_loses_power_at_any_of_fifty_points_loses_nothing(cuts: Cuts) -> None:
    run_matrix(cuts, 50)


def test_the_next_sync_puts_back_by_esptool_what_a_cut_has_left(cuts: Cuts) -> None:
    cuts.start_over()
    cuts.cut(cuts.total() // 2)
    control.power_on(cuts.board.folder)
    result = jobs.flash(cuts.request)
    assert result.put_back == (cuts.site.fs == "fat")
    assert not fat_journal.any_pending(cuts.site.stamps)
    cuts.assert_done()
