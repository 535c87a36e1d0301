# SPDX-License-Identifier: MIT
"""Images for the ESP32-S3: esptool accepts them, and nothing broken in them goes unnoticed."""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from viper.base.chip_models import MODELS
from viper.base.errors import UserError
from viper.image import app_image

FLASH_SIZE = 16 << 20
ELF = bytes(range(256)) * 300 + b"odd"
OFFSET_OF_ELF = 24 + 8 + 256 + 16  # image header, segment header, description, payload header


@pytest.fixture(scope="module")
def app() -> bytes:
    return app_image.build_app(ELF, project="Viper", version="1.2.3+abc", flash_size=FLASH_SIZE)


@pytest.fixture(scope="module")
def bootloader() -> bytes:
    return app_image.build_bootloader(flash_size=FLASH_SIZE)


def image_info(path: Path) -> str:
    """What `esptool image-info` says of an image."""
    command = [sys.executable, "-m", "esptool", "image-info", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=path.parent, check=True)
    assert "warning" not in (done.stdout + done.stderr).lower()
    return done.stdout


def resealed(image: bytes) -> bytes:
    """The image with its SHA-256 made right again."""
    return image[:-32] + hashlib.sha256(image[:-32]).digest()


def test_esptool_accepts_an_application(app: bytes, tmp_path: Path) -> None:
    (tmp_path / "app.bin").write_bytes(app)
    said = image_info(tmp_path / "app.bin")
    for expected in (
        "Detected image type: ESP32-S3",
        "Flash size: 16MB",
        "Chip ID: 9 (ESP32-S3)",
        "0x3c000020  0x00000018  DROM",
        "Validation hash: " + app[-32:].hex() + " (valid)",
        "Project name: Viper",
        "App version: 1.2.3+abc",
        "ELF file SHA256: " + hashlib.sha256(ELF).hexdigest(),
    ):
        assert expected in said
    assert said.count("(valid)") == 2  # the checksum and the hash


def test_esptool_accepts_the_bootloader(bootloader: bytes, tmp_path: Path) -> None:
    (tmp_path / "bootloader.bin").write_bytes(bootloader)
    said = image_info(tmp_path / "bootloader.bin")
    assert "Detected image type: ESP32-S3" in said
    assert "Bootloader version: 1" in said
    assert said.count("(valid)") == 2


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 17, 100_000])
def test_the_payload_is_the_executable(size: int) -> None:
    elf = ELF * 2
    image = app_image.build_app(elf[:size], project="p", version="1", flash_size=FLASH_SIZE)
    assert app_image.payload(app_image.parse(image)) == elf[:size]


def test_the_rest_of_the_slot_does_not_matter(app: bytes) -> None:
    for rest in (b"\xff" * 5000, b"\0" * 5000):
        assert app_image.payload(app_image.parse(app + rest)) == ELF


def test_a_parsed_image_tells_what_a_boot_log_shows(app: bytes) -> None:
    image = app_image.parse(app)
    assert [segment.address for segment in image.segments] == [0x3C000020, 0x40374000]
    description = app_image.describe(image)
    assert description is not None
    assert (description.project, description.version) == ("Viper", "1.2.3+abc")


def test_a_bootloader_is_no_application(bootloader: bytes) -> None:
    assert app_image.describe(app_image.parse(bootloader)) is None
    with pytest.raises(ValueError, match="no application description"):
        app_image.payload(app_image.parse(bootloader))


def test_images_are_reproducible(app: bytes) -> None:
    again = app_image.build_app(ELF, project="Viper", version="1.2.3+abc", flash_size=FLASH_SIZE)
    assert again == app


@pytest.mark.parametrize("offset", range(0, OFFSET_OF_ELF + 64, 7))
def test_a_flipped_bit_is_noticed(app: bytes, offset: int) -> None:
    broken = bytearray(app)
    broken[offset] ^= 0x10
    with pytest.raises(ValueError, match=r"\w"):
        app_image.parse(bytes(broken))


@pytest.mark.parametrize(
    "size", [0, 1, 23, 24, 31, 32, 1000, -1, -32, -33, -48, -60], ids=lambda size: f"to {size}"
)
def test_an_image_that_is_cut_off_is_noticed(app: bytes, size: int) -> None:
    with pytest.raises(ValueError, match="cut off"):
        app_image.parse(app[:size] if size else b"")


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (0, b"\xff", "image magic is 0xff"),
        (1, b"\0", "image has 0 segments"),
        (1, b"\x11", "image has 17 segments"),
        (28, struct.pack("<L", 6), "segment 0 has an invalid length 0x6"),
        (28, struct.pack("<L", 0xFFFFFFFC), "segment 0 has an invalid length 0xfffffffc"),
        (28, struct.pack("<L", 0x00FFFFFC), "segment 0 of 0xfffffc bytes is cut off"),
        (-33, b"\0", "checksum is 0x00, calculated"),
        (-1, b"\0", "SHA-256 does not match"),
    ],
)
def test_what_is_wrong_is_named(app: bytes, offset: int, value: bytes, message: str) -> None:
    broken = bytearray(app)
    at = offset % len(app)
    assert broken[at : at + len(value)] != value
    broken[at : at + len(value)] = value
    with pytest.raises(ValueError, match=message):
        app_image.parse(bytes(broken))


def test_an_image_without_a_digest_is_as_good(app: bytes) -> None:
    bare = app[:23] + b"\0" + app[24:-32]
    assert app_image.payload(app_image.parse(bare)) == ELF
    assert app_image.payload(app_image.parse(bare + bytes(32))) == ELF
    with pytest.raises(ValueError, match="cut off"):
        app_image.parse(bare[:-1])


@pytest.mark.parametrize("size", [1 << 20, 4 << 20, 128 << 20])
def test_an_image_says_which_flash_it_is_for(size: int) -> None:
    assert app_image.parse(app_image.build_bootloader(flash_size=size)).flash_size == size


def image_for(app: bytes, offset: int, value: int) -> app_image.Image:
    """The image with another number in its header."""
    changed = app[:offset] + struct.pack("<H", value) + app[offset + 2 :]
    return app_image.parse(resealed(changed))


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (12, 0, "image is for ESP32, not ESP32-S3"),
        (12, 99, "image is for chip id 99, not ESP32-S3"),
        (15, 3, r"image needs chip revision v0\.3 or later"),
        (15, 100, r"image needs chip revision v1\.0 or later"),
        (17, 1, r"image needs chip revision v0\.1 at most"),
    ],
)
def test_an_image_for_another_chip_is_told(
    app: bytes, offset: int, value: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        app_image.check_chip(image_for(app, offset, value), MODELS["esp32s3"], revision=2)


@pytest.mark.parametrize(("offset", "value"), [(15, 2), (17, 2), (17, 0), (17, 0xFFFF)])
def test_an_image_for_this_chip_is_taken(app: bytes, offset: int, value: int) -> None:
    app_image.check_chip(image_for(app, offset, value), MODELS["esp32s3"], revision=2)


def test_a_revision_that_is_not_known_is_not_asked_for(app: bytes) -> None:
    app_image.check_chip(image_for(app, 15, 300), MODELS["esp32s3"])


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (0x20, bytes(4), "no application description"),
        (24, struct.pack("<L", 0x3FC88000), "not a mapped one"),
        (OFFSET_OF_ELF - 16, bytes(8), "no host executable"),
        (OFFSET_OF_ELF - 8, struct.pack("<L", 1 << 31), "host executable of .* is cut off"),
        (OFFSET_OF_ELF - 8, struct.pack("<L", 5), "does not match its description"),
    ],
)
def test_a_well_formed_image_of_something_else(
    app: bytes, offset: int, value: bytes, message: str
) -> None:
    changed = bytearray(app)
    for index, byte in enumerate(value, offset):
        if index >= 0x20:  # the checksum covers the segments' data, not their headers
            changed[-33] ^= changed[index] ^ byte
        changed[index] = byte
    with pytest.raises(ValueError, match=message):
        app_image.payload(app_image.parse(resealed(bytes(changed))))


def test_a_text_that_does_not_fit_is_refused() -> None:
    with pytest.raises(UserError, match=r"the version .* is longer than 31 bytes"):
        app_image.build_app(b"", project="p", version="1" * 32, flash_size=FLASH_SIZE)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "viper.image.app_image", *arguments]
    folder = Path(app_image.__file__).parents[2]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


def test_the_command_writes_an_image(app: bytes, tmp_path: Path) -> None:
    (tmp_path / "elf").write_bytes(ELF)
    output = tmp_path / "app.bin"
    done = run(
        "app", "--elf", str(tmp_path / "elf"), "--project", "Viper", "--version", "1.2.3+abc",
        "--flash-size", str(FLASH_SIZE), "--output", str(output),
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert output.read_bytes() == app


def test_the_command_says_what_is_wrong_and_writes_nothing(tmp_path: Path) -> None:
    done = run(
        "app", "--elf", str(tmp_path / "none"), "--project", "p", "--version", "1",
        "--flash-size", str(FLASH_SIZE), "--output", str(tmp_path / "app.bin"),
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "none" in done.stderr
    assert list(tmp_path.iterdir()) == []
