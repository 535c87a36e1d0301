# SPDX-License-Identifier: MIT
"""Having an emulated board running, for everybody outside this package.

What else there is to do with it is in viper.virtual_board.control, as with a virtual board.
"""

from __future__ import annotations

from pathlib import Path

from viper.base import console
from viper.base.chip_models import MODELS
from viper.base.errors import UserError
from viper.emulator import program
from viper.ports import port
from viper.source.board import Board
from viper.virtual_board import control, state
from viper.virtual_board.control import BoardInfo


def start(
    folder: Path,
    name: str,
    http_port: int | None,
    qemu: str,
    board: Board,
    idf: Path | None,
) -> BoardInfo:
    """Have an emulated board running; see control.start_process.

    Args:
        folder: its state folder, made if missing.
        name: what it is called.
        qemu: the program, from program.find.
        board: what it is to be.
        idf: ESP-IDF, whose QEMU another one is told from.

    Raises:
        UserError: QEMU cannot be this chip, or the board in the folder is another.
    """
    known = state.load(folder)
    chip = board.chip
    if known is not None and (known.chip, known.flash_size) != (chip, board.flash_size):
        raise UserError(
            f"PORT={port.of_board(name, port.QEMU)} is an {MODELS[known.chip].title} with "
            f"{known.flash_size >> 20} MB of flash, and {board.name} is another board",
            f"name another emulated board: PORT={port.QEMU}:{chip}",
        )
    called = port.board_called(name, port.QEMU)
    running = control.running(folder)
    if running is None or running.source != control.source_digest(qemu):
        found = program.check(qemu, chip)
        other = program.unlike(found, idf) if idf else ""
        if other:
            console.note(other)
    words = [
        "viper.emulator", str(folder.resolve()), "--name", name, "--chip", chip,
        "--flash-size", str(board.flash_size), "--psram-size", str(board.psram_size),
        "--psram-mode", board.psram_mode, "--qemu", qemu,
    ]  # fmt: skip
    return control.start_process(
        folder, called, words, http_port, lambda: control.source_digest(qemu)
    )
