# SPDX-License-Identifier: MIT
"""The efuses of an emulated chip: its revision, and the MAC that it is known by."""

from __future__ import annotations

from viper.base.chip_models import Emulation

_CRC_POLYNOMIAL = 0x8C  # CRC-8/MAXIM, bits reversed: what the ESP32's ROM calls esp_crc8


def content(emulation: Emulation, mac: bytes) -> bytes:
    """The file of efuses that QEMU reads.

    Args:
        mac: 6 bytes.
    """
    efuses = bytearray(emulation.efuse_size)
    for at, value in emulation.efuse_bits:
        efuses[at] = value
    told = mac[::-1] + (bytes([crc8(mac)]) if emulation.has_mac_checksum else b"")
    efuses[emulation.mac_at : emulation.mac_at + len(told)] = told
    return bytes(efuses)


def crc8(data: bytes) -> int:
    """The checksum of a MAC that an ESP32 has beside it."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (_CRC_POLYNOMIAL if crc & 1 else 0)
    return crc
