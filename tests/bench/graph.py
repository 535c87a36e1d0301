# SPDX-License-Identifier: MIT
"""What a run of the graph costs that has nothing, or one asset, to do."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
from collections.abc import Callable

from tests.bench.edited_asset import edits
from tests.bench.figure import RUNS, Figure, in_turn, timed
from tests.project import ROOT, Project

ASSETS = 5000

# One file made from one, as a graph has it that does nothing else.
PLAIN_SCONSTRUCT = """
from shutil import copyfile

env = Environment(tools=[])
env.Decider("content-timestamp")


def copied(target, source, env):
    copyfile(str(source[0]), str(target[0]))  # what is returned would be an error's text


copy = env.Action(copied, None)
made = [env.Command(f"out/{n}", f"in/{n}", copy) for n in range(int(ARGUMENTS["N"]))]
env.Alias("made", made)
Default("made")
"""


def nothing_to_do(project: Project) -> list[Figure]:
    """A run with nothing to do, beside SCons on an empty SConstruct."""
    empty = Project(project.folder.parent / "empty")
    empty.folder.mkdir()
    empty.path("SConstruct").touch()
    project.scons("image")
    ours, bare = in_turn(lambda: project.scons("image"), lambda: empty.scons())
    launcher, python = in_turn(lambda: run(["./scons", "-v"]), lambda: empty.scons("-v"))
    return [
        Figure("scons on an empty SConstruct", bare, "s", ""),
        Figure("image, nothing to do", ours, "s", ""),
        Figure("image, nothing to do / empty SConstruct", ours / bare, "×", "≤ 2"),
        Figure("./scons over python -m SCons", (launcher - python) * 1000, "ms", "≤ 30"),
    ]


def assets(project: Project) -> list[Figure]:
    """What thousands of assets add to a run with nothing to do, beside SCons's own nodes."""
    plain = Project(project.folder.parent / "plain")
    plain.folder.mkdir()
    plain.path("SConstruct").write_text(PLAIN_SCONSTRUCT, encoding="utf-8")
    project.scons("assets")
    few, none = in_turn(lambda: project.scons("assets"), lambda: plain.scons("N=0"))
    for number in range(ASSETS):
        asset = project.path(f"assets/www/{number // 100}/{number}.js")
        asset.parent.mkdir(exist_ok=True)
        asset.write_text(f"export const n{number} = {number};\n" * 60)
    project.scons("assets")
    plain.path("in").mkdir()
    for number in range(ASSETS):
        plain.path(f"in/{number}").write_text(str(number))
    plain.scons(f"N={ASSETS}")
    many, nodes = in_turn(
        lambda: project.scons("assets"), lambda: plain.scons(f"N={ASSETS}"), runs=3
    )
    return [
        Figure(f"{ASSETS} assets, nothing to do, each", per_asset(many - few), "ms", "< 0.6"),
        Figure("  a plain SCons node, each", per_asset(nodes - none), "ms", ""),
    ]


def compression(project: Project) -> list[Figure]:
    """Assets are compressed on all cores."""
    shutil.rmtree(project.path("assets/www"))
    project.path("assets/www").mkdir()
    for number in range(8):
        noise = "".join(f"{word:x}\n" for word in os.urandom(1_500_000))
        project.path(f"assets/www/{number}.js").write_text(noise)
    project.scons("assets", "GZIP_LEVEL=9")

    def compress(jobs: int) -> Callable[[], object]:
        def build() -> object:
            for path in project.path("build/VIRTUAL_N16R8/www").glob("*.gz"):
                path.unlink()
            return project.scons("assets", "GZIP_LEVEL=9", f"-j{jobs}")

        return build

    cores = os.cpu_count() or 1
    one, all_cores = in_turn(compress(1), compress(cores), runs=3)
    return [Figure(f"12 MB compressed on 1 core / on {cores}", one / all_cores, "×", "")]


def per_asset(seconds: float) -> float:
    """Milliseconds for each of the assets."""
    return seconds / ASSETS * 1000


def one_edit(project: Project) -> list[Figure]:
    """One asset edited, and what that makes anew."""
    edit = edits(project)
    build = statistics.median(timed(edit) for _ in range(RUNS))
    return [Figure("one asset edited, image", build, "s", "< 1")]


PARTS = (nothing_to_do, one_edit, assets, compression)


def run(command: list[str]) -> None:
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
