# SPDX-License-Identifier: MIT
"""A board whose power fails at any byte of a sync, for tests.

The sync runs in this process; the board is the real one, with MicroPython's own FatFs and littlefs.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import pytest
from flash_image import VFS, VFS_SIZE
from mpremote.transport_serial import SerialTransport
from running_board import Board
from site_image import Site, sha256
from slowness import slowness
from viper.base.errors import UserError
from viper.device import repl
from viper.device.held_port import HeldPort
from viper.flash.jobs import SYNC
from viper.image import fat_image, filesystem_reader, littlefs_image, ownership
from viper.image.sectors import SECTOR_SIZE
from viper.sync import fat_journal
from viper.update import flasher
from viper.virtual_board import control

MAIN = "print('application runs')\n"


def flash_with(site: Site, own: Mapping[str, bytes]) -> bytes:
    """The flash of a board that has a site's files, noted as ours, and others of its own."""
    build = {"fat": fat_image.build, "littlefs": littlefs_image.build}[site.fs]
    texts = {path: text.encode() for path, text in site.texts.items()}
    note = ownership.note({path: sha256(text) for path, text in texts.items()})
    flash = bytearray(site.whole())
    vfs = build({**texts, **own, ownership.PATH: note}, VFS_SIZE).data
    flash[VFS : VFS + VFS_SIZE] = vfs
    return bytes(flash)


class PowerCuts:
    """A board, what its flash is before a sync, and the sync.

    Attributes:
        before: the flash before.
        theirs: what a sync is told of the user's files.
    """

    def __init__(self, board: Board, site: Site) -> None:
        self.board = board
        self.site = site
        self.before = board.flash
        self.theirs = ""

    def total(self) -> int:
        """How many bytes an undisturbed sync programs."""
        counted = control.counters(self.board.folder).bytes_programmed
        self.sync()
        return control.counters(self.board.folder).bytes_programmed - counted

    def sync(self) -> None:
        request = self.site.request(self.board, goal=SYNC, theirs=self.theirs)
        with HeldPort(os.getpid()) as held:
            flasher.Flasher(request, io.StringIO(), held).run()

    def cut(self, after: int) -> bool:
        """Let the power fail, from the state before the sync; whether it did before the end."""
        self.start_over()
        control.set_faults(self.board.folder, power_after_bytes=after)
        try:
            with little_patience():
                self.sync()
            return False
        except UserError:
            self.board.wait_for_mode("off")
            return True
        finally:
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
            fat_journal.put_back(journal, self._read, self._write)
            fat_journal.clear(self.site.stamps, self.board.info.mac)

    def _read(self, sectors: Sequence[int]) -> dict[int, bytes]:
        vfs = self.board.flash[VFS : VFS + VFS_SIZE]
        return {n: vfs[n * SECTOR_SIZE : (n + 1) * SECTOR_SIZE] for n in sectors}

    def _write(self, first: int, content: bytes) -> None:
        with (self.board.folder / "flash.bin").open("r+b") as flash:
            flash.seek(VFS + first * SECTOR_SIZE)
            flash.write(content)

    def files(self) -> dict[str, bytes]:
        """All files but what syncs keep there."""
        vfs = self.board.flash[VFS : VFS + VFS_SIZE]
        there = filesystem_reader.open_partition(lambda at, size: vfs[at : at + size], len(vfs))
        assert there is not None
        return {path: there.content(path) for path in there.sizes if not ownership.is_note(path)}


@contextmanager
def little_patience() -> Iterator[None]:
    """A board without power answers nothing: do not wait for it long."""
    limit_s = 0.5 * slowness()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repl, "_QUIET_S", limit_s)
        patch.setattr(SerialTransport.read_until, "__defaults__", (limit_s, None, None))
        yield
