# SPDX-License-Identifier: MIT
"""What a build takes of flash and memory.

Adds to the environment:
    env.SizeReport(index, linked)  a task that prints it, with the change since the build before,
                                   and writes build/<BOARD>/size.html
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "SizeReport", lambda env, index, linked: Task(_report, needs=(index, linked)))


def _report(run: Run, index: Path, linked: Path) -> None:
    from viper.base import atomic_file
    from viper.graph import history, size_report, sizes

    kept = run.folder / "builds"
    record = history.read(run.folder / "build.json")
    flash, measured = (json.loads(file.read_text(encoding="utf-8")) for file in (index, linked))
    measured["parts"] = sizes.parts(flash)
    build = {**record, "sizes": measured}
    base: dict[str, Any] | None
    if run.options.BASELINE:
        base = history.load(kept, run.options.BASELINE)
    else:
        earlier = (old for old in history.all_builds(kept) if old["id"] != build["id"])
        base = next(earlier, None)
    places = size_report.places(run.board, measured["parts"])
    for line in size_report.lines(places, build, base):
        console.note(line)
    page = run.folder / "size.html"
    atomic_file.write(page, size_report.page(places, build, base))
    console.step("PAGE", str(page))
