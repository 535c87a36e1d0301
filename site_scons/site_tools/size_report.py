# SPDX-License-Identifier: MIT
"""What a build takes of flash and memory.

Adds to the environment:
    env.SizeReport(record)  a task that prints it, with the change since the build before, and
                            writes build/<BOARD>/size.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import question
from toolkit.tool import provide
from viper.base import console


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "SizeReport", lambda env, record: question(_report, needs=(record,)))


def _report(run: Run, record: Path) -> None:
    from viper.base import atomic_file
    from viper.graph import history, size_report

    kept = run.folder / "builds"
    build = history.load(kept, history.read(record)["id"])
    base: dict[str, Any] | None
    if run.options.BASELINE:
        base = history.load(kept, run.options.BASELINE)
    else:
        earlier = (old for old in history.all_builds(kept) if old["id"] != build["id"])
        base = next(earlier, None)
    places = size_report.places(run.board, build["sizes"]["parts"])
    for line in size_report.lines(places, build, base):
        console.note(line)
    page = run.folder / "size.html"
    atomic_file.write(page, size_report.page(places, build, base))
    console.step("PAGE", str(page))
