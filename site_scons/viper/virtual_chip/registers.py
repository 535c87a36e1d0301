# SPDX-License-Identifier: MIT
"""The registers that the loaders read and write: efuses, the SPI controller, the watchdog."""

from __future__ import annotations

from viper.virtual_chip.chip import MIB, Chip
from viper.virtual_chip.nor_flash import NorFlash

_CHIP_MAGIC = 0x40001000  # in ROM; tools tell chips apart by it
_EFUSE = 0x60007000
_SPI = 0x60002000  # SPI1, the flash's
_RTC_WDT_CONFIG0 = 0x60008098
_RTC_WDT_WRITE_PROTECT = 0x600080B0
_RTC_WDT_KEY = 0x50D83AA1
_RTC_WDT_ENABLE = 1 << 31

# Capacity codes in the efuses (PSRAM_CAP), as esptool's ESP32-S3 target reads them.
_PSRAM_CODES = {8 * MIB: 1, 2 * MIB: 2, 16 * MIB: 3, 4 * MIB: 4}
_PSRAM_3V3 = 1
REVISION = 2  # of the chip, 100 for each major one: v0.2


class Registers:
    """Memory-mapped registers, as after a reset. Those not modelled keep what is written.

    Attributes:
        flash_attached: the SPI controller drives the flash's pins, as after SPI_ATTACH.
        watchdog_fired: the RTC watchdog was armed and its registers locked again, which is when
            the board lets it fire (the chip takes some more milliseconds).
    """

    def __init__(self, chip: Chip, flash: NorFlash) -> None:
        self._words = {_CHIP_MAGIC: chip.model.magic} | _efuses(chip)
        self._spi = _SpiController(flash)
        self.flash_attached = False
        self.watchdog_fired = False

    def read(self, address: int) -> int:
        """A register of 32 bits; one that is not modelled keeps what was written to it."""
        if 0 <= address - _SPI < _SpiController.SIZE:
            return self._spi.read(address - _SPI)
        return self._words.get(address, 0)

    def write(self, address: int, value: int) -> None:
        """Write a register of 32 bits, with what that sets off in the SPI controller."""
        if 0 <= address - _SPI < _SpiController.SIZE:
            self._spi.write(address - _SPI, value, self.flash_attached)
            return
        if address == _CHIP_MAGIC:
            return  # ROM
        if _EFUSE <= address < _EFUSE + 0x1000:
            return  # burning efuses is not modelled: they stay as they are
        self._words[address] = value
        if address == _RTC_WDT_WRITE_PROTECT and value != _RTC_WDT_KEY:
            self.watchdog_fired = bool(self._words.get(_RTC_WDT_CONFIG0, 0) & _RTC_WDT_ENABLE)


def _efuses(chip: Chip) -> dict[int, int]:
    """The efuse words that differ from zero (ESP32-S3 technical reference, eFuse controller)."""
    block1 = _EFUSE + 0x44
    psram = _PSRAM_CODES.get(chip.psram_size, 0)
    return {
        block1: int.from_bytes(chip.mac[2:], "big"),
        block1 + 4: int.from_bytes(chip.mac[:2], "big"),
        block1 + 12: REVISION << 18,
        block1 + 16: (psram & 3) << 3 | (_PSRAM_3V3 << 7 if psram else 0),
        block1 + 20: (psram >> 2) << 19,
    }


class _SpiController:
    """The SPI controller's user-defined commands, with which a host talks to the flash chip.

    Only reading who the chip is does anything; commands that would change the chip's status are
    taken and forgotten.
    """

    SIZE = 0x100
    _CMD, _ADDR, _USER2, _MISO_LENGTH, _W0 = 0x00, 0x04, 0x20, 0x28, 0x58
    _START = 1 << 18

    def __init__(self, flash: NorFlash) -> None:
        self._flash = flash
        self._words: dict[int, int] = {}

    def read(self, offset: int) -> int:
        return self._words.get(offset, 0)

    def write(self, offset: int, value: int, attached: bool) -> None:
        if offset == self._CMD:
            if value & self._START:
                self._run(attached)  # and the start bit reads 0 at once: done
            return
        self._words[offset] = value

    def _run(self, attached: bool) -> None:
        command = self.read(self._USER2) & 0xFF
        bits = (self.read(self._MISO_LENGTH) & 0x3FF) + 1
        if not attached:
            answer = 0  # the flash hears nothing, and nothing drives the line
        elif command == 0x9F:
            answer = self._flash.jedec_id
        elif command == 0x5A:
            address = self.read(self._ADDR) & 0xFFFFFF
            found = self._flash.sfdp[address : address + 4]
            answer = int.from_bytes(found.ljust(4, b"\xff"), "little")
        else:
            answer = 0  # status registers: idle, nothing protected
        self._words[self._W0] = answer & ((1 << min(bits, 32)) - 1)
