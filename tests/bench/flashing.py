# SPDX-License-Identifier: MIT
"""What a flash costs: of one edited asset, and of a line that is held to its baud rate."""

from __future__ import annotations

import json
import os
import statistics

from viper.flash import jobs
from viper.virtual_board import control

from tests.bench.device_work import BAUD, work
from tests.bench.edited_asset import edits
from tests.bench.figure import Figure
from tests.project import Project

LINE_BYTES_PER_S = BAUD / 10  # a start and a stop bit to each byte
APP_SIZE = 1_300_000


def figures(project: Project) -> list[Figure]:
    return [*one_edit(project), *line(project)]


def one_edit(project: Project) -> list[Figure]:
    """One asset edited, brought to a board."""
    edit_and_build = edits(project)
    folder = project.path(".viper/boards/bench")
    board = control.start(folder, "bench")
    try:
        work(project, board)
        edit_and_build()
        edited = work(project, board)
        assert edited.files_sent, edited
    finally:
        control.stop(folder)
    return [
        Figure("flash of one asset: host to device", edited.bytes_on_wire / 1024, "KiB", "≤ 64"),
        Figure("flash of one asset: time", seconds(edited), "s"),
    ]


def line(project: Project) -> list[Figure]:
    """A line held to 460800 baud: incompressible data, and a flash that is up to date."""
    project.path("build/VIRTUAL_N16R8/app.bin").write_bytes(os.urandom(APP_SIZE))
    record = project.path("build/VIRTUAL_N16R8/flash.json")
    image = json.loads(record.read_text(encoding="utf-8"))
    for part in image["parts"]:
        if part["name"] == "factory":
            part["size"] = APP_SIZE
    image["parts"] = [part for part in image["parts"] if part["name"] == "factory"]
    image["files"] = {}
    record.write_text(json.dumps(image), encoding="utf-8")

    folder = project.path(".viper/boards/line")
    board = control.start(folder, "line")
    try:
        control.set_faults(folder, hold_line=True)
        written = work(project, board)
        same = [work(project, board) for _ in range(3)]
    finally:
        control.stop(folder)
    share = APP_SIZE / LINE_BYTES_PER_S / written.write_s
    confirmed = statistics.median(seconds(result) for result in same)
    return [
        Figure(f"{APP_SIZE / 1e6} MB of noise at {BAUD} baud", written.write_s, "s", ""),
        Figure("  of the line's limit", share * 100, "%", "≥ 85"),
        Figure("unchanged flash confirmed, in all", confirmed, "s", "< 3"),
        Figure("  of it reset", statistics.median(r.reset_s for r in same), "s", ""),
        Figure("  of it stub upload", statistics.median(r.stub_s for r in same), "s", ""),
        Figure("  of it the chip's MD5", statistics.median(r.confirm_s for r in same), "s", ""),
    ]


def seconds(result: jobs.FlashResult) -> float:
    return result.reset_s + result.stub_s + result.confirm_s + result.write_s + result.files_s
