# SPDX-License-Identifier: MIT
"""Application and bootloader images, as `esptool image-info` and the chips accept them.

The virtual board's application image carries the host executable as the data that a chip would
map: one DROM segment of `esp_app_desc_t`, a payload header and the ELF. Its only machine code is
an Xtensa jump to itself, so that the image does nothing on a real chip.

Building uses esptool's image classes; esptool is GPL, so the build runs this module as a process
of its own: `python -m viper.image.app_image app|bootloader --help`. Reading does without esptool,
for the virtual board's boot.

The format, from ESP-IDF v5.5.1 (esp_app_format.h, esp_image_format.h, esp_app_desc.h): a header
of 24 bytes; segments of `load address u32 | size u32 | data`; zeros up to a multiple of 16 whose
last byte is the XOR of all segment data and 0xEF; the SHA-256 of all that, if the header says so.
"""

from __future__ import annotations

import argparse
import hashlib
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from viper.base import atomic_file, chip_models
from viper.base.chip_models import ChipModel
from viper.base.errors import UserError

IMAGE_MAGIC = 0xE9
APP_DESC_MAGIC = 0xABCD5432

_HEADER = struct.Struct("<BBBBLB3sHBHH4sB")
_SEGMENT = struct.Struct("<LL")
_MAX_SEGMENTS = 16
_MAX_SEGMENT_SIZE = 16 << 20
_DIGEST_SIZE = 32
_FLASH_SIZES = {code: 1 << 20 + code for code in range(8)}  # bytes, by the header's code
_NO_BOUND = (0, 0xFFFF)  # of the chip's revision

# magic, secure_version, reserved, version, project_name, time, date, idf_ver, app_elf_sha256,
# min and max efuse block revision, MMU page size (log2), reserved
_APP_DESC = struct.Struct("<LL8s32s32s16s16s32s32sHHB3s72s")
# magic byte, reserved, secure_version, version, idf_ver, date_time, reserved
_BOOTLOADER_DESC = struct.Struct("<B2sBL32s24s16s")
_BOOTLOADER_DESC_MAGIC = 80
START_SIZE = _HEADER.size + _SEGMENT.size + _APP_DESC.size  # bytes of an image that describe it
_MMU_PAGE_LOG2 = 16

# Behind the name of an overlay.
_MARK_OF_VERSION = ":"  # git has it in no tag, of which versions are made
_MARK_OF_BUILD = "_"  # a digest has none
_BUILD_LENGTH = 16  # characters

_PAYLOAD_HEADER = struct.Struct("<8sL4x")  # magic, bytes of the executable after it
_PAYLOAD_MAGIC = b"HOST ELF"

# The first DROM page begins with the 24 bytes of image header and 8 of segment header.
_DROM_START = 0x3C000020
_DROM_RANGE = range(0x3C000000, 0x3E000000)
_IRAM_START = 0x40374000
_BOOTLOADER_DRAM_START = 0x3FCE2800
_BOOTLOADER_IRAM_START = 0x403CA000
_ENDLESS_LOOP = bytes.fromhex("06ffff00")  # Xtensa `j .`, padded to four bytes


@dataclass(frozen=True)
class Segment:
    """A stretch of an image that is loaded or mapped to one address."""

    address: int  # where the chip sees it
    data: bytes


@dataclass(frozen=True)
class Image:
    """A verified image."""

    chip_id: int  # ChipModel.image_id of the chip that it is for
    min_revision: int  # of that chip, 100 for each major one
    max_revision: int  # likewise; 0 and 0xFFFF are no bound
    flash_size: int  # bytes that the header says
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class AppDescription:
    """What an application image says of itself."""

    project: str
    version: str
    elf_sha256: bytes

    @property
    def overlay(self) -> str:
        """The overlay that its image is for an emulator by; "" if it is for the board itself."""
        return _before(_MARK_OF_VERSION, self.version)


def version_for(overlay: str, plain: str) -> str:
    """The version of an image that an overlay makes one for an emulator; "" is no overlay.

    The chip's ROM takes images for its own chip alone, so nothing else can tell the two apart.
    """
    return f"{overlay}{_MARK_OF_VERSION}{plain}" if overlay else plain


def build_for(overlay: str, digest: str) -> str:
    """The build id of an image, from the digest of its inputs; likewise."""
    return (f"{overlay}{_MARK_OF_BUILD}{digest}" if overlay else digest)[:_BUILD_LENGTH]


def overlay_of_build(build: str) -> str:
    """The overlay that a build id names; "" if it is that of an image for the board itself."""
    return _before(_MARK_OF_BUILD, build)


def _before(mark: str, text: str) -> str:
    overlay, found, _ = text.partition(mark)
    return overlay if found else ""


def build_app(elf: bytes, *, project: str, version: str, flash_size: int) -> bytes:
    """An application image for the virtual board.

    Args:
        elf: the executable that the board runs.
        project: at most 31 bytes.
        version: at most 31 bytes; a build id goes after a "+", as semantic versions have it.
        flash_size: bytes of flash that the board has.

    Raises:
        UserError: a text is too long.
    """
    description = _APP_DESC.pack(
        APP_DESC_MAGIC,
        0,
        b"",
        _text(version, 32, "version"),
        _text(project, 32, "project name"),
        b"",  # the time and date of the build would make every image another one
        b"",
        b"none: virtual board",
        hashlib.sha256(elf).digest(),
        0,
        0xFFFF,
        _MMU_PAGE_LOG2,
        b"",
        b"",
    )
    drom = description + _PAYLOAD_HEADER.pack(_PAYLOAD_MAGIC, len(elf)) + elf
    return _build(
        [(b".flash.rodata", _DROM_START, drom), (b".iram0.text", _IRAM_START, _ENDLESS_LOOP)],
        entry_point=_IRAM_START,
        flash_size=flash_size,
    )


def build_bootloader(*, flash_size: int) -> bytes:
    """The virtual board's second-stage bootloader: what it would do is in `virtual_board`."""
    description = _BOOTLOADER_DESC.pack(
        _BOOTLOADER_DESC_MAGIC, b"", 0, 1, b"none: virtual board", b"", b""
    )
    return _build(
        [
            (b".dram0.bootdesc", _BOOTLOADER_DRAM_START, description),
            (b".iram.text", _BOOTLOADER_IRAM_START, _ENDLESS_LOOP),
        ],
        entry_point=_BOOTLOADER_IRAM_START,
        flash_size=flash_size,
    )


def parse(data: bytes) -> Image:
    """Read and verify an image; what follows it in `data` is not looked at.

    Raises:
        ValueError: what is wrong with it.
    """
    if len(data) < _HEADER.size:
        raise ValueError(f"image header is cut off after {len(data)} bytes")
    magic, count, _, size_frequency, *_, chip_id, _, lowest, highest, _, has_digest = (
        _HEADER.unpack_from(data)
    )
    if magic != IMAGE_MAGIC:
        raise ValueError(f"image magic is {magic:#04x}, not {IMAGE_MAGIC:#04x}")
    if not 1 <= count <= _MAX_SEGMENTS:
        raise ValueError(f"image has {count} segments, not 1 to {_MAX_SEGMENTS}")

    segments = []
    calculated = checksum(b"")
    position = _HEADER.size
    for index in range(count):
        if position + _SEGMENT.size > len(data):
            raise ValueError(f"header of segment {index} is cut off")
        address, size = _SEGMENT.unpack_from(data, position)
        position += _SEGMENT.size
        if size % 4 or size >= _MAX_SEGMENT_SIZE:
            raise ValueError(f"segment {index} has an invalid length {size:#x}")
        if position + size > len(data):
            raise ValueError(f"segment {index} of {size:#x} bytes is cut off")
        segments.append(Segment(address, data[position : position + size]))
        calculated = checksum(segments[-1].data, calculated)
        position += size

    position = (position // 16 + 1) * 16  # the checksum is the last byte of a block of 16
    if position + (_DIGEST_SIZE if has_digest else 0) > len(data):
        raise ValueError("checksum and SHA-256 are cut off")
    if data[position - 1] != calculated:
        raise ValueError(f"checksum is {data[position - 1]:#04x}, calculated {calculated:#04x}")
    digest = hashlib.sha256(memoryview(data)[:position]).digest()
    if has_digest and data[position : position + _DIGEST_SIZE] != digest:
        raise ValueError("SHA-256 does not match")
    size = _FLASH_SIZES.get(size_frequency >> 4, _FLASH_SIZES[1])  # as the bootloader reads it
    return Image(chip_id, lowest, highest, size, tuple(segments))


def check_chip(image: Image, model: ChipModel, revision: int | None = None) -> None:
    """See that an image is for a chip.

    Args:
        revision: of the chip, 100 for each major one; None if it is not known.

    Raises:
        ValueError: it is for another chip, or for another revision of it.
    """
    if image.chip_id != model.image_id:
        raise ValueError(f"image is for {chip_models.title_of(image.chip_id)}, not {model.title}")
    if revision is None:
        return
    if revision < image.min_revision:
        raise ValueError(f"image needs chip revision {_revision(image.min_revision)} or later")
    if image.max_revision not in _NO_BOUND and revision > image.max_revision:
        raise ValueError(f"image needs chip revision {_revision(image.max_revision)} at most")


def checksum(data: bytes, before: int = 0xEF) -> int:
    """The XOR of all bytes with 0xEF: the chip's checksum of images and of packets to its loader.

    Args:
        before: the checksum of what comes before the data.
    """
    folded, size = int.from_bytes(data, "little"), len(data)
    while size > 1:  # fold in halves: a Python loop over the bytes would take seconds
        half = (size + 1) // 2
        folded = (folded >> 8 * half) ^ (folded & ((1 << 8 * half) - 1))
        size = half
    return folded ^ before


def describe(image: Image) -> AppDescription | None:
    """The application description at the start of an application image; None without one."""
    return _description(image.segments[0].data)


def describe_start(start: bytes) -> AppDescription | None:
    """The same from an image's first START_SIZE bytes, which nothing verifies."""
    return _description(start[_HEADER.size + _SEGMENT.size :]) if start[0] == IMAGE_MAGIC else None


def _description(first: bytes) -> AppDescription | None:
    """What a first segment begins with."""
    if len(first) < _APP_DESC.size:
        return None
    magic, _, _, version, project, _, _, _, elf_sha256, *_ = _APP_DESC.unpack_from(first)
    if magic != APP_DESC_MAGIC:
        return None
    return AppDescription(
        project=project.split(b"\0")[0].decode(errors="replace"),
        version=version.split(b"\0")[0].decode(errors="replace"),
        elf_sha256=elf_sha256,
    )


def payload(image: Image) -> bytes:
    """The host executable in an application image, verified.

    Raises:
        ValueError: what is wrong with it.
    """
    description = describe(image)
    if description is None:
        raise ValueError("no application description in the first segment")
    drom = image.segments[0].data
    start = _APP_DESC.size + _PAYLOAD_HEADER.size
    if image.segments[0].address not in _DROM_RANGE or len(drom) < start:
        raise ValueError("the first segment is not a mapped one with a payload")
    magic, size = _PAYLOAD_HEADER.unpack_from(drom, _APP_DESC.size)
    if magic != _PAYLOAD_MAGIC:
        raise ValueError("no host executable in it: the image is for a real chip")
    elf = drom[start : start + size]
    if len(elf) != size:
        raise ValueError(f"host executable of {size} bytes is cut off after {len(elf)}")
    if hashlib.sha256(elf).digest() != description.elf_sha256:
        raise ValueError("SHA-256 of the host executable does not match its description")
    return elf


def main(arguments: list[str] | None = None) -> int:
    """`python -m viper.image.app_image`: build one image. Exit status 2: see the message."""
    parser = argparse.ArgumentParser(
        prog="python -m viper.image.app_image", description=main.__doc__
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    app = kinds.add_parser("app", help="an application image around a host executable")
    app.add_argument("--elf", type=Path, required=True)
    app.add_argument("--project", required=True)
    app.add_argument("--version", required=True)
    bootloader = kinds.add_parser("bootloader", help="the virtual board's bootloader image")
    for kind in (app, bootloader):
        kind.add_argument("--flash-size", type=int, required=True, help="bytes")
        kind.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        if options.kind == "app":
            image = build_app(
                options.elf.read_bytes(),
                project=options.project,
                version=options.version,
                flash_size=options.flash_size,
            )
        else:
            image = build_bootloader(flash_size=options.flash_size)
        atomic_file.write(options.output, image)
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _build(sections: list[tuple[bytes, int, bytes]], *, entry_point: int, flash_size: int) -> bytes:
    """An image of (name, address, data) by esptool's class for the chip."""
    from esptool.bin_image import ELFSection, ESP32S3FirmwareImage
    from esptool.targets import ESP32S3ROM

    image = ESP32S3FirmwareImage()
    image.segments = [ELFSection(name, address, data, 0) for name, address, data in sections]
    image.entrypoint = entry_point
    image.flash_mode = 2  # DIO, which every flash chip starts in
    sizes = ESP32S3ROM.FLASH_SIZES
    image.flash_size_freq = sizes[f"{flash_size >> 20}MB"] | ESP32S3ROM.FLASH_FREQUENCY["80m"]
    image.min_rev_full = 0
    image.max_rev_full = 0xFFFF  # no upper bound
    image.verify()
    saved = image.save(None)
    assert isinstance(saved, bytes)  # it returns None only when it is given a file name
    return saved


def _revision(full: int) -> str:
    return f"v{full // 100}.{full % 100}"


def _text(text: str, size: int, what: str) -> bytes:
    encoded = text.encode()
    if len(encoded) >= size:  # a zero ends it
        raise UserError(f"the {what} '{text}' is longer than {size - 1} bytes", "shorten it")
    return encoded


if __name__ == "__main__":
    sys.exit(main())
