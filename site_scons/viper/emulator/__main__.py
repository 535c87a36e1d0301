# SPDX-License-Identifier: MIT
"""The process of an emulated board: `python -m viper.emulator <state folder> --name NAME ...`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from viper.base import atomic_file
from viper.base.chip_models import MODELS
from viper.emulator import efuses, forwarded_port
from viper.emulator.command_line import Emulated
from viper.emulator.forwarded_port import ForwardedPort
from viper.emulator.qemu_machine import QemuMachine
from viper.ports import port
from viper.virtual_board import background, state
from viper.virtual_board.control import source_digest
from viper.virtual_board.machine import Machine, Surroundings
from viper.virtual_board.state import BoardState

_EFUSE_FILE = "efuses.bin"
_ERASED = b"\xff"


def main(arguments: list[str] | None = None) -> int:
    """Start a board in the background; see background.run."""
    parser = argparse.ArgumentParser(prog="python -m viper.emulator", description=__doc__)
    parser.add_argument("folder", type=lambda text: Path(text).resolve(), help="state folder")
    parser.add_argument("--name", required=True)
    parser.add_argument("--http-port", type=int, help="default: the one it had, if it is free")
    parser.add_argument("--chip", choices=MODELS, required=True, help="of a new board")
    parser.add_argument("--flash-size", type=int, required=True, help="bytes, of a new board")
    parser.add_argument("--psram-size", type=int, required=True, help="bytes, of a new board")
    parser.add_argument("--psram-mode", choices=("quad", "octal"), required=True)
    parser.add_argument("--qemu", required=True, help="the program")
    options = parser.parse_args(arguments)
    folder: Path = options.folder

    def carries(board: Surroundings, known: BoardState) -> Machine:
        emulated = Emulated(
            program=options.qemu,
            chip=known.chip,
            psram_size=known.psram_size,
            is_octal=options.psram_mode == "octal",
            flash=folder / state.FLASH_FILE,
            efuses=folder / _EFUSE_FILE,
        )
        _make_chip(emulated, known)
        return QemuMachine(board, emulated, ForwardedPort(forwarded_port.bind(known.http_port)))

    sizes = options.flash_size, options.psram_size
    new = state.create(options.name, options.chip, *sizes, maker=port.QEMU)
    return background.run(folder, new, options.http_port, source_digest(options.qemu), carries)


def _make_chip(emulated: Emulated, known: BoardState) -> None:
    """A chip as it leaves the factory: its flash erased, its MAC in its efuses.

    Whatever else is in the flash has come by the serial port.
    """
    if not emulated.flash.exists():
        atomic_file.write(emulated.flash, _ERASED * known.flash_size)
    emulation = MODELS[known.chip].emulation
    assert emulation is not None
    atomic_file.write(emulated.efuses, efuses.content(emulation, bytes.fromhex(known.mac)))


if __name__ == "__main__":
    sys.exit(main())
