# SPDX-License-Identifier: MIT
"""Which chip the board carries."""

from __future__ import annotations

from dataclasses import dataclass

from viper.base.chip_models import MODELS, ChipModel

MIB = 1024 * 1024

# The others are here so that a tool can be shown a chip it must refuse; they boot nothing.
CHIPS = ("esp32s3", "esp32c3", "esp32c6")

FLASH_SIZES = tuple(size * MIB for size in (1, 2, 4, 8, 16))
PSRAM_SIZES = tuple(size * MIB for size in (0, 2, 4, 8, 16, 32))


@dataclass(frozen=True)
class Chip:
    """The chip and its memories.

    Args:
        name: one of CHIPS.
        mac: the factory MAC address, 6 bytes.
        flash_size: bytes of NOR flash, one of FLASH_SIZES.
        psram_size: bytes of PSRAM, one of PSRAM_SIZES.
    """

    name: str
    mac: bytes
    flash_size: int = 16 * MIB
    psram_size: int = 8 * MIB

    @property
    def model(self) -> ChipModel:
        """What sets it apart from other chips."""
        return MODELS[self.name]
