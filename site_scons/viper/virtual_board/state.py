# SPDX-License-Identifier: MIT
"""What a board remembers between its runs, in board.json in its state folder."""

from __future__ import annotations

import dataclasses
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from viper.base import atomic_file
from viper.base.chip_models import MODELS
from viper.base.errors import UserError
from viper.ports import port
from viper.virtual_chip.chip import FLASH_SIZES, MIB, PSRAM_SIZES, Chip

FLASH_FILE = "flash.bin"
CONSOLE_LOG = "console.log"
LOCK_FILE = "lock"
ERROR_LOG = "board.log"
_STATE_FILE = "board.json"


@dataclass(frozen=True)
class BoardState:
    """One board's identity.

    Args:
        name: what its PORT calls it.
        mac: 12 hex digits; locally administered, made at random when the board is.
        chip: one of CHIPS.
        flash_size: bytes, one of FLASH_SIZES.
        psram_size: bytes, one of PSRAM_SIZES.
        serial_port: TCP port of its serial port, 0 while it has none.
        http_port: host port of its port 80, 0 while it has none.
        maker: what its PORT begins with, as viper.ports.port has it.
    """

    name: str
    mac: str
    chip: str
    flash_size: int
    psram_size: int = 8 * MIB
    serial_port: int = 0
    http_port: int = 0
    maker: str = port.VIRTUAL

    @property
    def called(self) -> str:
        """What people call it."""
        return port.board_called(self.name, self.maker)

    def as_chip(self) -> Chip:
        """The chip that a board of this description has."""
        return Chip(self.chip, bytes.fromhex(self.mac), self.flash_size, self.psram_size)


def load(folder: Path) -> BoardState | None:
    """The board that lives in a folder, None if there is none yet.

    Raises:
        UserError: board.json is not one.
    """
    path = folder / _STATE_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        state = BoardState(**json.loads(text))
        sound = len(bytes.fromhex(state.mac)) == 6 and state.chip in MODELS
        sound = sound and state.flash_size in FLASH_SIZES and state.psram_size in PSRAM_SIZES
    except (ValueError, TypeError):
        sound = False
    if not sound:
        raise UserError(f"{path} does not describe a board", f"remove {folder}")
    return state


def create(
    name: str, chip: str, flash_size: int, psram_size: int, maker: str = port.VIRTUAL
) -> BoardState:
    """A new board with a MAC of its own."""
    first = 0x02  # locally administered, unicast
    mac = bytes([first]) + secrets.token_bytes(5)
    return BoardState(name, mac.hex(), chip, flash_size, psram_size, maker=maker)


def save(folder: Path, state: BoardState) -> None:
    """Write a board's description into its folder, whole or not at all."""
    atomic_file.write_json(folder / _STATE_FILE, dataclasses.asdict(state))
