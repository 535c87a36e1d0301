# SPDX-License-Identifier: MIT
"""Work on a virtual board as the build graph does it, for benchmarks."""

from __future__ import annotations

import json

from viper.flash import jobs
from viper.flash.jobs import FLASH, FlashResult
from viper.ports import port
from viper.virtual_board import control

from tests.project import Project

BAUD = 460800


def work(project: Project, board: control.BoardInfo, goal: str = FLASH) -> FlashResult:
    record = project.path("build/VIRTUAL_N16R8/build.json")
    return jobs.flash(
        jobs.FlashRequest(
            port=f"virtual:{board.name}",
            url=port.viper_url(board.port_url),
            baud=BAUD,
            image=project.path("build/VIRTUAL_N16R8/flash.json"),
            root=project.folder,
            stamps=project.path(".viper/devices"),
            backups=project.path("backups"),
            build=json.loads(record.read_text(encoding="utf-8"))["build"],
            goal=goal,
        )
    )
