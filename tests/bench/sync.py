# SPDX-License-Identifier: MIT
"""What a sync of one asset among many costs, beside `mpremote cp -r` of the same tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from viper.flash.jobs import FLASH, SYNC, FlashResult
from viper.image import asset_manifest
from viper.virtual_board import control

from tests.bench.device_work import work
from tests.bench.figure import Figure, timed
from tests.project import Project

ASSETS = 500
ASSET_SIZE = 1024


def figures(project: Project) -> list[Figure]:
    site = project.path("assets/www")
    for path in site.iterdir():
        path.unlink()
    for number in range(ASSETS):
        write_asset(site, number, "first")
    project.scons("image")
    folder = project.path(".viper/boards/sync")
    board = control.start(folder, "sync")
    try:
        work(project, board, FLASH)
        nothing = work(project, board, SYNC)
        write_asset(site, 250, "second")
        project.scons("image")
        edited: list[FlashResult] = []
        ours = timed(lambda: edited.append(work(project, board, SYNC)))
        write_asset(site, 250, "third")
        project.scons("image")
        theirs = timed(lambda: copy_tree(project, board))
    finally:
        control.stop(folder)
    changed = [project.path(f"assets/www/{name(250)}")]
    changed += project.path("build/VIRTUAL_N16R8/www").glob(f"{name(250)}.gz")
    size = sum(path.stat().st_size for path in changed)
    beyond = edited[0].bytes_on_wire - nothing.bytes_on_wire
    return [
        Figure(f"sync of one of {ASSETS} assets", ours, "s"),
        Figure("  nothing changed", nothing.files_s, "s"),
        Figure("  mpremote cp -r", theirs, "s"),
        Figure("  of mpremote cp -r", ours / theirs * 100, "%", "< 15"),
        Figure("  host to device for the manifest", nothing.bytes_on_wire, "B"),
        Figure("  beyond it, per byte of the file and its .gz", beyond / size, "×", "< 2"),
        Figure(
            "  in all, of 2 × file and .gz + 1 KB",
            edited[0].bytes_on_wire / (2 * size + 1024),
            "×",
            "≤ 1",
        ),
    ]


def write_asset(site: Path, number: int, word: str) -> None:
    """A small page of text, different from every other."""
    lines = "".join(
        f"<p>{word} {number * 31 + line * 17:x} of {number}</p>\n" for line in range(99)
    )
    (site / name(number)).write_text(lines[:ASSET_SIZE], encoding="utf-8")


def name(number: int) -> str:
    return f"page-{number:03}.html"


def copy_tree(project: Project, board: control.BoardInfo) -> None:
    """What a person does without sync."""
    tree = project.path("tree/www")
    for path, file in asset_manifest.shipped(project.path("build/VIRTUAL_N16R8/www.json")).items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(project.path(file.source).read_bytes())
    address = f"{board.port_url}?ign_set_control"
    command = [sys.executable, "-m", "mpremote", "connect", address, "cp", "-r", str(tree), ":/"]
    subprocess.run(command, check=True, capture_output=True)
