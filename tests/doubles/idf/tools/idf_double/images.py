# SPDX-License-Identifier: MIT
"""Images that esptool accepts: what the executable holds, as data that the chip would map."""

from __future__ import annotations

import hashlib
import re
import struct
from pathlib import Path

from esptool.bin_image import ELFSection, ESP32FirmwareImage, ESP32S3FirmwareImage
from esptool.targets import ESP32ROM, ESP32S3ROM

from idf_double import installation

# By chip: esptool's image class and chip, where flash is mapped, instruction RAM, data RAM.
_CHIPS = {
    "esp32": (ESP32FirmwareImage, ESP32ROM, 0x3F400020, 0x40080400, 0x3FFF0000),
    "esp32s3": (ESP32S3FirmwareImage, ESP32S3ROM, 0x3C000020, 0x40374000, 0x3FCE2800),
}
_LOOP = bytes.fromhex("06ffff00")  # Xtensa `j .`


def write_bootloader(output: Path, plan: dict) -> None:
    *_, iram, dram = _CHIPS[plan["chip"]]
    _write(output, plan, [(".dram0.bootdesc", dram, bytes(80)), (".iram.text", iram, _LOOP)])


def write_app(output: Path, elf: Path, plan: dict) -> None:
    _, _, drom, iram, _ = _CHIPS[plan["chip"]]
    content = elf.read_bytes()
    program = _host_program(Path(plan["generated"]))
    # esp_app_desc_t, from esp_app_desc.h: magic, versions, names, the executable's digest.
    description = struct.pack(
        "<LL8s32s32s16s16s32s32s80s",
        0xABCD5432, 0, b"", plan["version"].encode()[:31], b"micropython", b"", b"", b"v5.5.1",
        hashlib.sha256(program or content).digest(),
        b"",
    )  # fmt: skip
    if program:
        description += struct.pack("<8sL4x", b"HOST ELF", len(program)) + program
    rodata = description + content
    rodata += bytes(-len(rodata) % 4)
    _write(output, plan, [(".flash.rodata", drom, rodata), (".iram0.text", iram, _LOOP)])


def _host_program(generated: Path) -> bytes:
    """What a virtual board runs in the place of this image: the virtual board's own, if asked for.

    It tells the build that this image is of.
    """
    if not installation.has("host-program"):
        return b""
    executable = Path((installation.IDF / "host-program").read_text())
    header = "viperhttp_build.h"
    own, wanted = (
        re.findall(rb'"(\w{16})"', (folder / header).read_bytes())[0]
        for folder in (executable.parents[1] / "generated", generated)
    )
    return executable.read_bytes().replace(own, wanted)


def _write(output: Path, plan: dict, sections: list[tuple[str, int, bytes]]) -> None:
    image_class, chip, _, iram, _ = _CHIPS[plan["chip"]]
    image = image_class()
    image.segments = [ELFSection(name.encode(), at, data, 0) for name, at, data in sections]
    image.entrypoint = iram
    image.flash_mode = 2  # DIO
    size = plan["config"]["ESPTOOLPY_FLASHSIZE"]
    image.flash_size_freq = chip.FLASH_SIZES[size] | chip.FLASH_FREQUENCY["80m"]
    image.min_rev_full, image.max_rev_full = 0, 0xFFFF
    output.write_bytes(image.save(None))
