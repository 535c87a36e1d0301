# SPDX-License-Identifier: MIT
"""compile_commands.json, by which editors and clangd know how each file is compiled.

Format: https://clang.llvm.org/docs/JSONCompilationDatabase.html
"""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

from viper.base import atomic_file, process
from viper.base.errors import UserError

COMMAND_FILE = "make-command.json"  # of a unix port's build folder: the command that made it


def write(file: Path, build: Path) -> int:
    """Write the commands of a board's firmware.

    Args:
        build: the board's build folder.

    Returns:
        How many files are in it.

    Raises:
        UserError: the firmware has not been built.
    """
    folder = build / "firmware"
    of_cmake, of_make = folder / "compile_commands.json", folder / COMMAND_FILE
    if of_cmake.is_file():
        commands = json.loads(of_cmake.read_text(encoding="utf-8"))
    elif of_make.is_file():
        commands = _asked_of_make(json.loads(of_make.read_text(encoding="utf-8")))
    else:
        raise UserError(f"{build} has no firmware yet", "./scons image")
    atomic_file.write_json(file, commands)
    return len(commands)


def _asked_of_make(command: list[str]) -> list[dict[str, object]]:
    """What make would run for a build from nothing; it runs nothing."""
    directory = command[command.index("-C") + 1]
    shown = process.run([*command, "--dry-run", "--always-make", "V=1"])
    found: dict[str, dict[str, object]] = {}
    for line in shown.splitlines():
        words = _words(line.partition(" || ")[0])
        if "-c" in words and "-o" in words and words[-1].endswith(".c"):
            if Path(words[0]).name == "ccache":
                words = words[1:]
            found[words[-1]] = {
                "directory": os.path.realpath(directory),
                "file": words[-1],
                "arguments": words,
            }
    return list(found.values())


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # a line of a script with a quote left open
        return []
