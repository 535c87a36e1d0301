# SPDX-License-Identifier: MIT
"""The efuses that an emulated chip is started with, as Espressif's own tool reads them."""

from __future__ import annotations

import struct

import pytest
from viper.base.chip_models import MODELS
from viper.emulator import efuses

MAC = bytes.fromhex("02a274c09e1b")


def word(content: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", content, at)[0])


def test_an_esp32_has_its_mac_as_esptool_reads_it_and_the_checksum_beside_it() -> None:
    """esptool 5, targets/esp32.py: words 1 and 2 of block 0, the greater address first."""
    from espefuse.efuse.esp32.fields import EfuseMacField

    emulation = MODELS["esp32"].emulation
    assert emulation
    content = efuses.content(emulation, MAC)
    assert len(content) == 124
    assert struct.pack(">II", word(content, 8), word(content, 4))[2:8] == MAC
    assert content[10] == EfuseMacField.calc_crc(MAC)
    assert word(content, 12) >> 15 & 1 and word(content, 20) >> 20 & 1  # revision 3


def test_an_esp32s3_has_its_mac_as_esptool_reads_it() -> None:
    """esptool 5, targets/esp32s3.py: MAC_EFUSE_REG is 0x44, and the file begins with 0x2C."""
    emulation = MODELS["esp32s3"].emulation
    assert emulation
    content = efuses.content(emulation, MAC)
    assert len(content) == 1024
    at = 0x44 - 0x2C
    assert struct.pack(">II", word(content, at + 4), word(content, at))[2:8] == MAC


@pytest.mark.parametrize(("data", "crc"), [(bytes(6), 0), (b"123456789", 0xA1)])
def test_the_checksum_is_crc_8_maxim(data: bytes, crc: int) -> None:
    assert efuses.crc8(data) == crc
