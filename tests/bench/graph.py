# SPDX-License-Identifier: MIT
"""What a run of the graph costs that has nothing, or one asset, to do."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable

from tests.bench.edited_asset import edits
from tests.bench.figure import RUNS, Figure, in_turn, least_cpu, timed
from tests.project import ROOT, Project

ASSETS = 5000
SETTLED_S = 2.5  # see viper.base.contents

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
    settle(project, "image")
    ours, bare = least_cpu([lambda: project.scons("image"), empty.scons])
    launcher, python = in_turn(lambda: run(["./scons", "-v"]), lambda: empty.scons("-v"))
    return [
        Figure("scons on an empty SConstruct, CPU", bare, "s", ""),
        Figure("image, nothing to do, CPU", ours, "s", ""),
        Figure("image, nothing to do / empty SConstruct", ours / bare, "×", "≤ 1.5"),
        Figure("./scons over python -m SCons", (launcher - python) * 1000, "ms", "≤ 30"),
    ]


def some_assets(project: Project) -> list[Figure]:
    """What assets of an ordinary site add to a run with nothing to do."""
    demo = Project(project.folder.parent / "demo")
    shutil.copytree(project.folder, demo.folder, symlinks=True)
    add_assets(project, "some", 200, 34_000)
    settle(project, "image")
    settle(demo, "image")
    ours, alone = least_cpu([lambda: project.scons("image"), lambda: demo.scons("image")])
    for folder in project.path("assets/www").glob("some*"):
        shutil.rmtree(folder)  # the device has no room for both
    add_assets(project, "more", 800, 1000)
    settle(project, "image")
    edited, idle = least_cpu([edits(project), lambda: project.scons("image")], RUNS)
    for folder in project.path("assets/www").glob("more*"):
        shutil.rmtree(folder)
    return [
        Figure("image with 6.8 MB in 200 assets / the demo", ours / alone, "×", "≤ 1.1"),
        Figure("image, one of 800 assets edited / nothing to do", edited / idle, "×", "≤ 1.5"),
    ]


def many_assets(project: Project) -> list[Figure]:
    """What thousands of assets add to a run with nothing to do, beside SCons's own nodes."""
    plain = Project(project.folder.parent / "plain")
    plain.folder.mkdir()
    plain.path("SConstruct").write_text(PLAIN_SCONSTRUCT, encoding="utf-8")
    settle(project, "assets")
    few, none = least_cpu([lambda: project.scons("assets"), lambda: plain.scons("N=0")], RUNS)
    add_assets(project, "many", ASSETS, 1000)
    settle(project, "assets")
    plain.path("in").mkdir()
    for number in range(ASSETS):
        plain.path(f"in/{number}").write_text(str(number))
    plain.scons(f"N={ASSETS}")
    many, nodes, edited = least_cpu(
        [
            lambda: project.scons("assets"),
            lambda: plain.scons(f"N={ASSETS}"),
            edits(project, "assets"),
        ],
        RUNS,
    )
    return [
        Figure(f"{ASSETS} assets, nothing to do, each", per_asset(many - few), "ms", "≤ 0.05"),
        Figure("  a plain SCons node, each", per_asset(nodes - none), "ms", ""),
        Figure(f"one of {ASSETS} edited / nothing to do", edited / many, "×", "≤ 1.5"),
    ]


def add_assets(project: Project, folder: str, count: int, size: int) -> None:
    """Text of `count` times `size` bytes, a hundred files to a folder."""
    for number in range(count):
        asset = project.path(f"assets/www/{folder}{number // 100}/{number}.js")
        asset.parent.mkdir(exist_ok=True)
        line = f"export const n{number} = {number};\n"
        asset.write_text(line * (size // len(line)))


def settle(project: Project, goal: str) -> None:
    """Build, and again once what was read may be trusted by its status."""
    project.scons(goal)
    time.sleep(SETTLED_S)
    project.scons(goal)


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


PARTS = (nothing_to_do, one_edit, some_assets, many_assets, compression)


def run(command: list[str]) -> None:
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
