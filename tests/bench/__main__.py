"""`./scons bench`: what the incremental loop costs. Prints a table, writes build/bench.json.

Commands that are compared run in turn, A B A B, so that a change of the machine's speed meets
both; medians are quoted.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from viper import flash_device, port
from viper.virtual_board import control

from tests.project import ROOT, Project, copy_project

RUNS = 7
BAUD = 460800
LINE_BYTES_PER_S = BAUD / 10  # a start and a stop bit to each byte
APP_SIZE = 1_300_000
ASSETS = 5000

# One file made from one, as a graph has it that does nothing else.
PLAIN_SCONSTRUCT = """
from shutil import copyfile

env = Environment(tools=[])
env.Decider("content-timestamp")
copy = env.Action(lambda target, source, env: copyfile(str(source[0]), str(target[0])), None)
made = [env.Command(f"out/{n}", f"in/{n}", copy) for n in range(int(ARGUMENTS["N"]))]
env.Alias("made", made)
Default("made")
"""


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    value: float
    unit: str
    bound: str  # what is promised, empty if the line only explains another


def main() -> None:
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="viperhttp-bench-") as folder:
        for number, part in enumerate((graph, assets, compression, one_edit, flashing)):
            project = copy_project(ROOT, Path(folder) / str(number) / "project")
            figures += part(project)
    (ROOT / "build/bench.json").write_text(
        json.dumps([asdict(figure) for figure in figures], indent=1) + "\n", encoding="utf-8"
    )
    show(figures)


def graph(project: Project) -> list[Figure]:
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
    for path in project.path("assets/www").iterdir():
        path.unlink()
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
    """One asset edited: building it, and bringing it to a board in both ways."""
    asset = project.path("assets/www/app.js")
    source = asset.read_text(encoding="utf-8")
    count = 0

    def edit() -> None:
        nonlocal count
        count += 1
        asset.write_text(f"// {count}\n{source}", encoding="utf-8")

    def edit_and_build() -> None:
        edit()
        project.scons("image")

    build = statistics.median(timed(edit_and_build) for _ in range(RUNS))
    figures = [Figure("one asset edited, image", build, "s", "< 1")]

    folder = project.path(".viper/boards/bench")
    board = control.start(folder, "bench")
    try:
        flash(project, board)
        edit_and_build()
        files = flash(project, board)
        assert files.files_sent, files
        figures += [
            Figure("  flash: host to device", files.bytes_on_wire / 1024, "KiB", "≤ 64"),
            Figure("  flash: time", seconds(files), "s", ""),
        ]
    finally:
        control.stop(folder)
    return figures


def flashing(project: Project) -> list[Figure]:
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
        written = flash(project, board)
        same = [flash(project, board) for _ in range(3)]
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


def flash(project: Project, board: control.BoardInfo) -> flash_device.FlashResult:
    record = project.path("build/VIRTUAL_N16R8/build.json")
    return flash_device.flash(
        flash_device.FlashRequest(
            port=f"virtual:{board.name}",
            url=port.viper_url(board.port_url),
            baud=BAUD,
            image=project.path("build/VIRTUAL_N16R8/flash.json"),
            root=project.folder,
            stamps=project.path(".viper/devices"),
            build=json.loads(record.read_text(encoding="utf-8"))["build"],
        )
    )


def seconds(result: flash_device.FlashResult) -> float:
    return result.reset_s + result.stub_s + result.confirm_s + result.write_s + result.files_s


def in_turn(
    first: Callable[[], object], second: Callable[[], object], runs: int = RUNS
) -> tuple[float, float]:
    """The median times of two things, run in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(runs):
        times[0].append(timed(first))
        times[1].append(timed(second))
    return statistics.median(times[0]), statistics.median(times[1])


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def run(command: list[str]) -> None:
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def show(figures: list[Figure]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "figure", "unit", "promised")
    for figure in figures:
        table.add_row(figure.what, f"{figure.value:.3g}", figure.unit, figure.bound)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
