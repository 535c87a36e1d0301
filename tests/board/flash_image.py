# SPDX-License-Identifier: MIT
"""A small flash image for tests, in a build folder of its own, and the flashing of it."""

from __future__ import annotations

import json
import random
from pathlib import Path

from running_board import Board
from viper.flash import device_stamp, jobs
from viper.flash.device_stamp import Stamp
from viper.flash.jobs import FLASH, FlashRequest, FlashResult
from viper.flash.sector_plan import Region

SECTOR = 4096
FACTORY = 0x10000
VFS = 0x610000
VFS_SIZE = 0x9F0000


class FlashImage:
    """What a build makes: flash.json and the files that it names.

    Attributes:
        contents: the parts by their offset; edit, then flash.
        files: what flash.json says of the files in `vfs`.
        build: the build id of the firmware.
        stamps: the folder of the stamps.
    """

    def __init__(self, folder: Path, parts: dict[int, bytes]) -> None:
        bootloader, table, factory = (parts[offset] for offset in sorted(parts))
        vfs = random.Random(5).randbytes(30 * SECTOR).ljust(VFS_SIZE, b"\xff")
        self.contents = {0: bootloader, 0x8000: table, 0xD000: b"\xff" * 2 * SECTOR}
        self.contents |= {FACTORY: factory, VFS: vfs}
        self.stamps = folder / "devices"
        self.folder = folder
        self.files: dict[str, dict[str, str]] = {}
        self.build = ""

    def edit(self, offset: int, data: bytes) -> None:
        """Change some bytes, given by their place in the flash."""
        start = max(at for at in self.contents if at <= offset)
        content = bytearray(self.contents[start])
        content[offset - start : offset - start + len(data)] = data
        self.contents[start] = bytes(content)

    def request(
        self, board: Board, *, baud: int = 460800, goal: str = FLASH, theirs: str = ""
    ) -> FlashRequest:
        """Write the image; the request to flash it."""
        names = ("bootloader", "partition-table", "otadata", "factory", "vfs")
        parts = []
        for name, (offset, content) in zip(names, sorted(self.contents.items()), strict=True):
            (self.folder / name).write_bytes(content)
            kind = "filesystem" if name == "vfs" else "firmware"
            part = {"name": name, "offset": offset, "file": name, "kind": kind}
            parts.append(part | {"size": len(content)})
        record = {"format": 1, "board": "TEST_BOARD", "chip": "esp32s3"}
        record |= {"flash_size": 16 << 20, "psram_size": 8 << 20}
        (self.folder / "flash.json").write_text(
            json.dumps(record | {"parts": parts, "files": self.files})
        )
        return FlashRequest(
            port="virtual:bench",
            url=board.url,
            baud=baud,
            image=self.folder / "flash.json",
            root=self.folder,
            stamps=self.stamps,
            backups=self.folder / "backups",
            build=self.build,
            goal=goal,
            theirs=theirs,
        )

    def stamp(self, board: Board) -> None:
        """Leave the stamp that this image's flash has left."""
        vfs = Region(VFS, self.contents[VFS]).claim()
        device_stamp.save(self.stamps, Stamp(board.info.mac, {"vfs": vfs}))

    def flash(self, board: Board, **options: object) -> FlashResult:
        """Flash a board."""
        return jobs.flash(self.request(board, **options))  # type: ignore[arg-type]

    def assert_on(self, board: Board) -> None:
        """Assert that a board's flash holds the image."""
        flash = board.flash
        for offset, content in self.contents.items():
            assert flash[offset : offset + len(content)] == content, f"part at {offset:#x}"
