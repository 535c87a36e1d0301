# SPDX-License-Identifier: MIT
"""A flash image with the firmware and a `vfs` made of files, and what becomes of it on a board."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

from flash_image import VFS, VFS_SIZE, FlashImage
from running_board import Board
from viper.device.repl import DeviceRepl
from viper.flash.jobs import SYNC, FlashResult
from viper.image import ownership, vfs_image
from viper.sync.over_repl import ReplTransport

# An application that writes to its own file system, and then never returns to the REPL.
MAIN = """
with open('/boots.txt', 'a') as f:
    f.write('x')
print('application runs')
while True:
    pass
"""
ODD_NAME = "/www/it's ünusual & long.txt"


class Site(FlashImage):
    """A flash image with the firmware and a `vfs` made of files."""

    def __init__(self, folder: Path, parts: dict[int, bytes], built: Path) -> None:
        outputs = built / "build" / "VIRTUAL_N16R8"
        app = sorted(parts)[-1]
        super().__init__(folder, parts | {app: (outputs / "app.bin").read_bytes()})
        self.build = json.loads((outputs / "build.json").read_text())["build"]
        self.fs = "fat"
        self.texts = {"/main.py": MAIN, "/www/index.html": "one", "/www/old.txt": "old"}
        self.texts[ODD_NAME] = "odd"

    def request(self, board: Board, **options: object):  # type: ignore[no-untyped-def]
        self.make()
        return super().request(board, **options)  # type: ignore[arg-type]

    def make(self) -> None:
        """Make the image of the file system."""
        sources = {}
        for number, (path, content) in enumerate(self.texts.items()):
            sources[path] = self.folder / f"source-{number}"
            sources[path].write_text(content)
        image, index = self.folder / "vfs.img", self.folder / "vfs.json"
        contents = {path: source.read_bytes() for path, source in sources.items()}
        vfs_image.write(image, index, contents, fs=self.fs, size=VFS_SIZE)
        self.contents[VFS] = image.read_bytes()
        self.files = {
            path: {"sha256": hashlib.sha256(source.read_bytes()).hexdigest(), "source": source.name}
            for path, source in sources.items()
        }

    def whole(self) -> bytes:
        """The flash of a board that the image was written to."""
        self.make()
        flash = bytearray(b"\xff" * (16 << 20))
        for offset, content in self.contents.items():
            flash[offset : offset + len(content)] = content
        return bytes(flash)

    def sync(self, board: Board) -> FlashResult:
        return self.flash(board, goal=SYNC)


def wait_for_boots(board: Board, count: int, within_s: float = 60.0) -> None:
    """Wait until the application has started so many times."""
    deadline = time.monotonic() + within_s
    log = board.folder / "console.log"
    while log.read_bytes().count(b"application runs\r\n") < count:
        assert time.monotonic() < deadline, log.read_bytes()[-1000:]
        time.sleep(0.01)


def on_device(board: Board) -> dict[str, str]:
    """The sha256 of every file of a device, but for what syncs keep there."""
    with DeviceRepl(board.url, again="") as repl:
        repl.enter()
        answers = ReplTransport(repl).look([""])
        repl.leave()
    found = {answer.text("path"): answer.digits("sha256", 64) for answer in answers[1:]}
    return {path: digest for path, digest in found.items() if not ownership.is_note(path)}


def sha256(content: str | bytes) -> str:
    data = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(data).hexdigest()
