# SPDX-License-Identifier: MIT
"""compile_commands.json, by which editors and clangd know how each file is compiled.

It names the originals, where a person edits, and not the copies that are compiled. Format: https://clang.llvm.org/docs/JSONCompilationDatabase.html
"""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

from viper.base import atomic_file, process
from viper.base.errors import UserError
from viper.firmware.original_paths import OriginalPaths

ORIGINALS_FILE = "originals.json"  # of a build folder: which copy is of what
COMMAND_FILE = "make-command.json"  # of a unix port's: what would make it of the originals

_WITH_A_FOLDER = ("-I", "-isystem", "-iquote")
_FILES = (".c", ".cpp", ".S", ".s", ".o", ".obj")


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
    try:
        if of_cmake.is_file():
            originals = OriginalPaths.load(folder / ORIGINALS_FILE, folder)
            listed = json.loads(of_cmake.read_text(encoding="utf-8"))
            commands = [_of_originals(each, originals) for each in listed]
        else:
            command = json.loads(of_make.read_text(encoding="utf-8"))
            directory = Path(command[command.index("-C") + 1])
            commands = _asked_of_make(command, OriginalPaths({}, directory))
    except OSError:
        raise UserError(f"{build} has no firmware yet", "./scons image") from None
    atomic_file.write_json(file, commands)
    return len(commands)


def _of_originals(command: dict[str, str], originals: OriginalPaths) -> dict[str, object]:
    """A command that cmake has written."""
    words = _words(command["command"]) if "command" in command else list(command["arguments"])
    file = originals.absolute(command["file"])
    arguments = [_absolute(word, originals) for word in words]
    return {"directory": command["directory"], "file": file, "arguments": arguments}


def _asked_of_make(command: list[str], originals: OriginalPaths) -> list[dict[str, object]]:
    """What make would run for a build from nothing; it runs nothing."""
    shown = process.run([*command, "--dry-run", "--always-make", "V=1"])
    found: dict[str, dict[str, object]] = {}
    for line in shown.splitlines():
        words = _words(line.partition(" || ")[0])
        if "-c" in words and "-o" in words and words[-1].endswith(".c"):
            if Path(words[0]).name == "ccache":
                words = words[1:]
            words = _without_dependencies(words)
            file = originals.absolute(words[-1])
            found[file] = {
                "directory": os.path.realpath("."),
                "file": file,
                "arguments": [words[0], *[_absolute(word, originals) for word in words[1:]]],
            }
    return list(found.values())


def _without_dependencies(words: list[str]) -> list[str]:
    """A command that writes no dependency file: an editor's has no place for it."""
    if "-MF" in words:
        at = words.index("-MF")
        words = [*words[:at], *words[at + 2 :]]
    return [word for word in words if word not in ("-MD", "-MMD")]


def _absolute(word: str, originals: OriginalPaths) -> str:
    """An argument with the original's path in it, if it is a path or an option with one."""
    option = next((each for each in _WITH_A_FOLDER if word.startswith(each)), "")
    path = word.removeprefix(option)
    if option or (not word.startswith("-") and path.endswith(_FILES)):
        return option + originals.absolute(path)
    return word


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # a line of a script with a quote left open
        return []
