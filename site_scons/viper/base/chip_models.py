# SPDX-License-Identifier: MIT
"""Espressif's chips: what sets one apart from another, for all that asks which it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Emulation:
    """What Espressif's QEMU has to be told of a chip.

    Source: ESP-IDF v5.5.1, tools/idf_py_actions/qemu_ext.py, and for `timers` of the ESP32-S3
    esp-toolchain-docs, qemu/esp32s3/README.md.
    """

    download_strap: str  # the value of strap_mode that starts the ROM's download mode
    efuses: str  # its device for the efuses
    timers: str  # its device for the timer groups, whose watchdogs are no good under emulation
    efuse_size: int  # bytes of the file of efuses
    efuse_bits: tuple[tuple[int, int], ...]  # its bytes that are not 0: the chip's revision
    mac_at: int  # where the MAC is in that file, last byte first
    has_mac_checksum: bool  # behind it


@dataclass(frozen=True)
class ChipModel:
    """One kind of chip.

    Sources: ESP-IDF v5.5.1, esp_app_format.h (image_id) and components/bootloader/Kconfig.projbuild
    (BOOTLOADER_OFFSET_IN_FLASH); esptool v4.8.1, targets/*.py (CHIP_DETECT_MAGIC_VALUE).
    """

    name: str  # as esptool and ESP-IDF's IDF_TARGET spell it
    title: str  # as people do
    image_id: int  # in the header of its images, and what it answers to GET_SECURITY_INFO
    bootloader_offset: int  # bytes from the start of flash to where its ROM looks for a bootloader
    magic: int  # the word of its ROM at 0x40001000, by which tools tell it from others
    psram_modes: tuple[str, ...] = ()  # those that ESP-IDF has a setting for; () if there is one
    emulation: Emulation | None = None  # None: the QEMU for Xtensa has no such machine


_ESP32 = Emulation(
    download_strap="0x0f",
    efuses="nvram.esp32.efuse",
    timers="timer.esp32.timg",
    efuse_size=124,
    efuse_bits=((13, 0x80), (22, 0x10)),  # revision 3
    mac_at=4,
    has_mac_checksum=True,
)
_ESP32S3 = Emulation(
    download_strap="0x07",
    efuses="nvram.esp32c3.efuse",  # the machine has the ESP32-C3's
    timers="timer.esp32c3.timg",
    efuse_size=1024,
    efuse_bits=((38, 0x0C),),  # revision 0.3
    mac_at=24,
    has_mac_checksum=False,
)

MODELS = {
    model.name: model
    for model in (
        ChipModel("esp32", "ESP32", 0, 0x1000, 0x00F01D83, emulation=_ESP32),
        ChipModel(
            "esp32s3", "ESP32-S3", 9, 0x0, 0x9, psram_modes=("quad", "octal"), emulation=_ESP32S3
        ),
        ChipModel("esp32c3", "ESP32-C3", 5, 0x0, 0x1B31506F),
        ChipModel("esp32c6", "ESP32-C6", 13, 0x0, 0x2CE0806F),
    )
}


def title_of(image_id: int) -> str:
    """What people call the chip that an image is for: "ESP32-S3", or "chip id 99"."""
    titles = {model.image_id: model.title for model in MODELS.values()}
    return titles.get(image_id, f"chip id {image_id}")
