# SPDX-License-Identifier: MIT
"""A partition moves under a device's files, as a person would type it, with the tools they use."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import Project, Run
from viper.virtual_board import control

PORT = "PORT=virtual:move"
CSV = "boards/partitions-16MiBplus.csv"
VFS, MOVED = "0x610000, 1M", "0x700000, 1M"  # small, for the line is what takes the time


class Desk:
    """A project, a board, and a person at it."""

    def __init__(self, project: Project, data: Path) -> None:
        self.project = project
        self.board = project.path(".viper/boards/move")
        self.data = data

    def scons(self, *arguments: str, status: int = 0) -> Run:
        return self.project.scons(*arguments, PORT, status=status, XDG_DATA_HOME=str(self.data))

    def mpremote(self, *arguments: str) -> str:
        board = control.running(self.board)
        assert board is not None
        address = f"{board.port_url}?ign_set_control"
        command = [sys.executable, "-m", "mpremote", "connect", address, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def move_vfs(self, old: str, new: str) -> None:
        self.project.edit(CSV, old, new)

    def backups(self) -> list[Path]:
        return sorted((self.data / "viperhttp/backups").glob("*/*/vfs/mine.txt"))


@pytest.fixture
def desk(project: Project, tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(project, tmp_path / "data")
    try:
        desk.move_vfs("0x610000, -16M", VFS)
        desk.scons("flash")
        yield desk
    finally:
        desk.scons("board-stop")


def test_a_moved_partition_takes_its_files_along_even_if_the_power_fails(desk: Desk) -> None:
    desk.mpremote("exec", "with open('/mine.txt', 'w') as f: f.write('mine')")
    desk.move_vfs(VFS, MOVED)

    refused = desk.scons("flash", status=2)
    assert "vfs  would be moved:" in refused.output
    assert "REPARTITION=keep carries over what is there" in refused.output
    plan = desk.scons("plan").output
    assert "vfs  would be moved:" in plan
    assert desk.backups() == []

    kept = desk.scons("flash", "REPARTITION=keep")
    assert "1 files of the device, verified" in kept.output
    assert desk.mpremote("cat", ":/mine.txt") == "mine"
    (first,) = desk.backups()
    assert first.read_text() == "mine"

    desk.project.edit("assets/www/index.html", "<title>", "<title>Edited ")
    synced = desk.scons("sync")
    sent = [line.split()[1] for line in synced.output.splitlines() if line.startswith("SEND")]
    assert sorted(sent) == ["/www/index.html", "/www/index.html.gz"]

    desk.move_vfs(MOVED, VFS)
    control.set_faults(desk.board, power_after_bytes=6_000)
    cut = desk.scons("flash", "REPARTITION=keep", status=2)
    assert "stopped answering" in cut.output
    control.set_faults(desk.board)
    control.power_on(desk.board)
    restored = desk.scons("restore")
    assert "1 files of the device, verified" in restored.output
    assert desk.mpremote("cat", ":/mine.txt") == "mine"
    assert "nothing to write" in desk.scons("flash").output
