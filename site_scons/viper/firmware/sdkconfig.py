# SPDX-License-Identifier: MIT
"""The settings of ESP-IDF: what a board's fragments ask for, held against what came out.

ESP-IDF merges the fragments that a board's mpconfigboard.cmake lists, by Kconfig's rules, into
`sdkconfig`. An assignment may come to nothing without a word: a misspelt symbol, a dependency that
is off, a choice that another fragment makes. So each assignment of the board's own fragments is
looked up in the outcome, and so is what board.toml says of the chip.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from viper.base.chip_models import MODELS
from viper.base.errors import UserError
from viper.source import checkout
from viper.source.board import OVERLAYS, Board
from viper.source.sdkconfig_lines import Setting, read

_CMAKE = "mpconfigboard.cmake"
_LIST = "SDKCONFIG_DEFAULTS"
# What of cmake's language says where fragments are.
_COMMENT = re.compile(r"#[^\n]*")
_COMMAND = re.compile(r"\b(set|list|include)\s*\(([^()]*)\)")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


Reader = Callable[[Path], list[Setting]]


def fragments(board_folder: Path, port: Path, overlay: str = "") -> list[Path]:
    """The fragments that a board's mpconfigboard.cmake lists, in order.

    One that cmake writes into its build folder is left out: it is no file of ours.

    Args:
        board_folder: MICROPY_BOARD_DIR.
        port: MicroPython's ports/esp32, which other names are relative to.
        overlay: that of the board.

    Raises:
        UserError: one is missing.
    """
    found = []
    folder = str((checkout.FOLDER / OVERLAYS / overlay).absolute()) if overlay else ""
    for name in _listed(board_folder.absolute(), folder):
        if "$" in name:
            continue
        path = Path(os.path.normpath(port / name))
        if not path.is_file():
            raise UserError(f"{board_folder / _CMAKE} lists {name}: no such file", f"write {path}")
        found.append(path)
    return found


def fragments_elsewhere(board_folder: Path) -> list[str]:
    """Those of them that are not in boards/: in another folder of the project, by their paths in
    it, or anywhere on this computer, by their absolute paths.

    Raises:
        UserError: one is named relative to the board, and is not in the project.
    """
    found = []
    for name in _listed(board_folder):
        path = os.path.normpath(name)
        is_ours = name.startswith(f"{board_folder}/")  # others are in MicroPython, or absolute
        if is_ours and path.startswith("../"):
            raise UserError(
                f"{board_folder / _CMAKE} lists {path}, which is outside of the project",
                "name it there by its absolute path",
            )
        if Path(path).is_absolute() or (is_ours and not path.startswith(f"{board_folder.parent}/")):
            found.append(path)
    return [path for path in found if Path(path).is_file()]


def _listed(board_folder: Path, overlay: str = "") -> list[str]:
    """The names of fragments that mpconfigboard.cmake lists, itself or by what it includes.

    Conditions are not looked at: what they leave out is listed too. Variables that cmake itself
    would have to be asked for are left in the names.
    """
    names: list[str] = []
    variables = {"MICROPY_BOARD_DIR": str(board_folder), "VHTTP_OVERLAY": overlay}
    for command, arguments in _commands(board_folder / _CMAKE, variables, set()):
        first, *others = arguments or [""]
        if command == "set" and first == _LIST:
            names += others
        elif command == "list" and others[:1] == [_LIST]:
            names += others[1:]
        elif command == "set":
            variables[first] = ";".join(others)
    return [part for name in names for part in name.split(";") if part]


def _commands(
    file: Path, variables: dict[str, str], read: set[Path]
) -> Iterator[tuple[str, list[str]]]:
    """The commands of a file of cmake and of those that it includes, in turn, each file once."""
    if file in read:
        return
    read.add(file)
    try:
        text = _COMMENT.sub("", file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return  # cmake says so

    def value(found: re.Match[str]) -> str:
        return variables.get(found[1], found[0])

    for command, written in _COMMAND.findall(text):
        variables["CMAKE_CURRENT_LIST_DIR"] = str(file.parent)
        arguments = [_VARIABLE.sub(value, word) for word in written.replace('"', "").split()]
        if command == "include" and arguments:
            yield from _commands(Path(os.path.normpath(arguments[0])), variables, read)
        else:
            yield command, arguments


def check(
    sdkconfig: Path,
    board: Board,
    board_folder: Path,
    port: Path,
    table: Path,
    reader: Reader = read,
) -> None:
    """Hold what came out against the board's fragments and board.toml.

    Args:
        port: MicroPython's ports/esp32.
        table: the copy of the partition table that ESP-IDF is to read.
        reader: reads a fragment; that of the ESP-IDF which is built with, where it is at hand.

    Raises:
        UserError: the first setting that came out otherwise, with the fragment and the line.
    """
    effective = {setting.name: setting.value for setting in read(sdkconfig)}
    asked = {
        setting.name: setting
        for file in fragments(board_folder, port, board.overlay)
        for setting in (read(file) if file.is_relative_to(port) else reader(file))
    }
    for setting in asked.values():
        came_out = effective.get(setting.name, "n")
        is_theirs = setting.file.is_relative_to(port)
        if not is_theirs and not _same(came_out, setting.value):
            raise UserError(
                f"{_relative(setting.file)} line {setting.line}: CONFIG_{setting.name}="
                f"{setting.value} came to nothing: it is {came_out} in {sdkconfig}",
                "it is misspelt, or something that it depends on is off",
            )
    for name, (value, reason) in _declared(board).items():
        if not _same(effective.get(name, "n"), value):
            raise _contradicts(name, value, reason, asked.get(name), board_folder)
    csv = effective.get("PARTITION_TABLE_CUSTOM_FILENAME", "")
    if (port / csv).resolve() != table.resolve():
        raise _contradicts(
            "PARTITION_TABLE_CUSTOM_FILENAME",
            f'"{board.partitions.resolve()}"',
            f'board.toml says partitions = "{board.partitions}"',
            asked.get("PARTITION_TABLE_CUSTOM_FILENAME"),
            board_folder,
        )


def _declared(board: Board) -> Mapping[str, tuple[str, str]]:
    """What board.toml and the module call for: the value of each symbol, and why."""
    flash = f"{board.flash_size >> 20}MB"
    psram = f"{board.psram_size >> 20}MB"
    declared = {
        "IDF_TARGET": (board.chip, f'board.toml says chip = "{board.chip}"'),
        # The server has core 0 to itself, and the interpreter core 1.
        "FREERTOS_UNICORE": ("n", "viperhttp runs on both cores"),
        "ESPTOOLPY_FLASHSIZE": (flash, f'board.toml says flash_size = "{flash}"'),
        "SPIRAM": (
            "y" if board.psram_size else "n",
            f'board.toml says psram_size = "{psram}"',
        ),
    }
    if board.psram_size and MODELS[board.chip].psram_modes:
        mode = {"octal": "SPIRAM_MODE_OCT", "quad": "SPIRAM_MODE_QUAD"}[board.psram_mode]
        declared[mode] = ("y", f'board.toml says psram_mode = "{board.psram_mode}"')
    return declared


def _contradicts(
    name: str, value: str, reason: str, setting: Setting | None, board_folder: Path
) -> UserError:
    """What came out is not what the board is, by a line that says so or for want of one."""
    if setting is None:
        return UserError(
            f"{board_folder}: no sdkconfig fragment sets CONFIG_{name}={value}, and {reason}",
            f"add it to a fragment that {board_folder}/mpconfigboard.cmake lists",
        )
    return UserError(
        f"{_relative(setting.file)} line {setting.line} sets CONFIG_{name}={setting.value}, "
        f"and {reason}",
        f"set it to {value} in a fragment of {board_folder}, or change the board",
    )


def _relative(file: Path) -> Path:
    """A file as a person in the project's folder names it."""
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        return int(one, 0) == int(other, 0)
    except ValueError:
        return False
