# SPDX-License-Identifier: MIT
"""The process of a virtual board: `python -m viper.virtual_board <state folder> --name NAME`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from viper.virtual_board import background, state
from viper.virtual_board.control import source_digest
from viper.virtual_board.machine import Machine, Surroundings
from viper.virtual_board.state import BoardState
from viper.virtual_board.virtual_machine import VirtualMachine
from viper.virtual_chip.chip import CHIPS, FLASH_SIZES, MIB, PSRAM_SIZES


def main(arguments: list[str] | None = None) -> int:
    """Start a board in the background; see background.run."""
    parser = argparse.ArgumentParser(prog="python -m viper.virtual_board", description=__doc__)
    parser.add_argument("folder", type=lambda text: Path(text).resolve(), help="state folder")
    parser.add_argument("--name", required=True)
    parser.add_argument("--http-port", type=int, help="default: the one it had, if it is free")
    parser.add_argument("--chip", choices=CHIPS, default="esp32s3", help="of a new board")
    parser.add_argument(
        "--flash-size", type=int, choices=FLASH_SIZES, default=16 * MIB, help="of a new board"
    )
    parser.add_argument(
        "--psram-size", type=int, choices=PSRAM_SIZES, default=8 * MIB, help="of a new board"
    )
    options = parser.parse_args(arguments)
    folder: Path = options.folder

    def carries(board: Surroundings, known: BoardState) -> Machine:
        return VirtualMachine(board, known.as_chip(), folder / state.FLASH_FILE, known.http_port)

    new = state.create(options.name, options.chip, options.flash_size, options.psram_size)
    return background.run(folder, new, options.http_port, source_digest(), carries)


if __name__ == "__main__":
    sys.exit(main())
