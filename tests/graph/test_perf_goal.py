# SPDX-License-Identifier: MIT
"""`./scons perf` on the virtual board: what it finds, its exit statuses, what it leaves."""

from __future__ import annotations

import json

from project import Project
from viper.performance.history import LATEST
from viper.performance.record import Record, from_document
from viper.virtual_board import control

PORT = "PORT=virtual:perf"
PROFILES = """
[light]
paths = ["/perf/light/json", "/perf/light/text"]
clients = 1
rate = 10
"""
SHORT = (PORT, "RUNS=3", "BURST_S=0.5", "LONG_S=0.8")


def latest(project: Project) -> Record:
    text = project.path(f"tools/perf_history/{LATEST}").read_text()
    return from_document(json.loads(text))


def test_a_route_that_sleeps_is_worse_and_named(project: Project) -> None:
    project.path("tools/perf_profiles.toml").write_text(PROFILES)
    try:
        # Nothing is flashed yet: the board that is measured has this build.
        first = project.scons("perf", *SHORT, "TAG=first").output
        assert "nothing to compare with yet" in first
        assert "which files it has: " in first and "the device has no token" in first
        record = latest(project)
        assert record.device["files"] == ""
        board = control.running(project.path(".viper/boards/perf"))
        assert board and record.device["mac"] == board.mac
        build = json.loads(project.path("build/VIRTUAL_N16R8/build.json").read_text())["build"]
        assert record.device["build"] == build
        assert record.tag == "first"
        assert record.phases[0].before["free"]["heap_free"] > 1_000_000
        assert any("ring_high_water" in name for name in record.phases[0].after["counters"])

        project.scons("token", PORT)
        project.edit(
            "firmware/app/perf_routes.py",
            'def light_json():\n    return {"status',
            'def light_json():\n    time.sleep_ms(100)\n    return {"status',
        )
        project.edit("firmware/app/perf_routes.py", "import gc\n", "import gc\nimport time\n")
        slow = project.scons("perf", *SHORT, "BASELINE=first", "MAX_REGRESSION=30", status=1).output
        assert "\nworse, compared with first" in slow
        assert "\n  mostly /perf/light/json: p50" in slow
        assert "no build has been measured twice yet" in slow  # for this one has other files
        assert "which files it has: " not in slow
        assert len(latest(project).device["files"]) == 16
        assert "scons:" not in slow  # it has said what there is to say
        # It is told, kept and shown before the status is.
        assert latest(project).started != record.started
        page = project.path("build/VIRTUAL_N16R8/perf.html").read_text()
        assert '<h1 class="worse">Worse</h1>' in page

        unknown = project.scons("perf", *SHORT, "PROFILES=lite", status=2).output
        assert "no profile 'lite'; did you mean 'light'?" in unknown
    finally:
        project.scons("board-stop", PORT)
