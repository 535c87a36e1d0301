"""Which chip the board carries."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024

# Chip ids are those of the image header and of GET_SECURITY_INFO (ESP-IDF esp_app_format.h). The
# others are here so that a tool can be shown a chip it must refuse; they boot nothing.
CHIP_IDS = {"esp32s3": 9, "esp32c3": 5, "esp32c6": 13}

FLASH_SIZES = tuple(size * MIB for size in (1, 2, 4, 8, 16))
PSRAM_SIZES = tuple(size * MIB for size in (0, 2, 4, 8, 16, 32))


@dataclass(frozen=True)
class Chip:
    """The chip and its memories.

    Args:
        name: one of CHIP_IDS.
        mac: the factory MAC address, 6 bytes.
        flash_size: bytes of NOR flash, one of FLASH_SIZES.
        psram_size: bytes of PSRAM, one of PSRAM_SIZES.
    """

    name: str
    mac: bytes
    flash_size: int = 16 * MIB
    psram_size: int = 8 * MIB

    @property
    def chip_id(self) -> int:
        """The number in an image's header that says which chip it is for."""
        return CHIP_IDS[self.name]
