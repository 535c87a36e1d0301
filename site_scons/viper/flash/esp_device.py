# SPDX-License-Identifier: MIT
"""An ESP chip in download mode, by esptool's library.

esptool is under the GPL: only processes of their own import this (see viper.update.flasher).
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from typing import Any

import esptool.cmds as esptool
import esptool.loader as loader
from esptool.util import FatalError, flash_size_bytes

from viper.base.errors import UserError
from viper.base.mac import Mac
from viper.flash import writing
from viper.flash.jobs import FlashRequest
from viper.ports.native_usb import NativeUsb
from viper.ports.reset_line import start_application
from viper.ports.serial_line import first_line
from viper.ports.serial_urls import WriteCounter

_CONNECT_ATTEMPTS = 3  # of 1 to 2 s; esptool varies its reset sequence with each
_BLOCK_S = 0.2  # what one block takes on the line at most: an interrupt waits for it
_STUB_BLOCKS = (0x1000, 0x4000)  # bytes; the stub's buffer is of the greater size
_STUB_WINDOW = 32 * 1024  # bytes that the stub unpacks before it writes
_ERASE_BLOCK = 64 * 1024  # bytes that the stub may erase at once, ahead of the data

# Megabytes of PSRAM in the package by the code in the chip's efuses (PSRAM_CAP), from esptool's
# targets/esp32s3.py. What is not listed there is not known.
_PSRAM_CAPACITIES = {0: 0, 1: 8, 2: 2, 3: 16, 4: 4}

# esptool 5.6 prepares the hex dump of every packet for a trace that is off, which takes longer
# than the packet does on the line.
loader.HexFormatter = lambda data, auto_split=True: ""


class Device:
    """An ESP chip on a port, in download mode with esptool's stub: a `writing.Chip`.

    Attributes:
        mac: whose chip it is, once it is connected.
        written: counts the bytes sent.
        reset_s, stub_s: what connecting took.
    """

    def __init__(self, request: FlashRequest, usb: NativeUsb) -> None:
        """Open the port; `connect` does the rest.

        Raises:
            UserError: it is busy, or cannot be opened.
        """
        self._request = request
        self._began = time.monotonic()
        self._serial = usb.open_for_download()
        self.mac: Mac
        self.written = WriteCounter(self._serial)
        self.reset_s = self.stub_s = 0.0

    def connect(self, image: writing.Image) -> None:
        """Reset into download mode, start the stub, and see that the chip is the right one.

        Raises:
            UserError: it does not answer, or is not of the kind that the image is for.
        """
        try:
            esp = esptool.detect_chip(self._serial, connect_attempts=_CONNECT_ATTEMPTS)
        except FatalError as error:
            raise UserError(
                f"PORT={self._request.port} does not answer in download mode ({first_line(error)})",
                "is the board plugged in? If so, hold BOOT while you press and release RESET, "
                "and flash again",
            ) from None
        self.reset_s = time.monotonic() - self._began
        self._refuse_other_chips(esp, image)
        began = time.monotonic()
        self._esp = esptool.run_stub(esp)
        if self._request.baud != loader.ESPLoader.ESP_ROM_BAUD:
            self._esp.change_baud(self._request.baud)
        esptool.attach_flash(self._esp)
        self._refuse_small_flash(image)
        least, most = _STUB_BLOCKS
        block = self._request.baud / 10 * _BLOCK_S
        self._esp.FLASH_WRITE_SIZE = most if block >= most else max(least, int(block) & -least)
        self.mac = Mac(bytes(self._esp.read_mac("BASE_MAC")).hex())
        self.stub_s = time.monotonic() - began

    def md5(self, offset: int, size: int) -> bytes:
        """See `writing.Chip`."""
        return bytes.fromhex(self._esp.flash_md5sum(offset, size))

    def read(self, offset: int, size: int) -> bytes:
        """See `writing.Chip`."""
        return bytes(self._esp.read_flash(offset, size))

    def erase(self, offset: int, size: int) -> None:
        """See `writing.Chip`."""
        self._esp.erase_region(offset, size)

    def write(self, offset: int, content: bytes, progress: Callable[[int], None]) -> None:
        """See `writing.Chip`; sent compressed if that is shorter."""
        packed = zlib.compress(content, 9)
        try:
            if len(packed) < len(content):
                self._write_packed(offset, content, packed, progress)
            else:
                self._write_plain(offset, content, progress)
        except FatalError as error:
            # A chip that answers and refuses has a sector that fails: the verification names it.
            if "result was" not in str(error):
                raise

    def _write_plain(self, offset: int, content: bytes, progress: Callable[[int], None]) -> None:
        block = self._esp.FLASH_WRITE_SIZE
        self._esp.flash_begin(len(content), offset, logging=False)
        for sequence, at in enumerate(range(0, len(content), block)):
            self._esp.flash_block(content[at : at + block], sequence)
            progress(min(at + block, len(content)))
        self._esp.flash_finish(reboot=False)

    def _write_packed(
        self, offset: int, content: bytes, packed: bytes, progress: Callable[[int], None]
    ) -> None:
        block = self._esp.FLASH_WRITE_SIZE
        unpacker = zlib.decompressobj()
        self._esp.flash_defl_begin(len(content), len(packed), offset)
        done = 0
        # The stub confirms a block before it writes it: each wait is for the block before.
        timeout = _write_timeout(0)
        for sequence, at in enumerate(range(0, len(packed), block)):
            piece = packed[at : at + block]
            self._esp.flash_defl_block(piece, sequence, timeout=timeout)
            unpacked = len(unpacker.decompress(piece))
            timeout = _write_timeout(unpacked)
            done += unpacked
            progress(done)
        self._esp.flash_defl_finish(reboot=False, timeout=timeout)

    def start_application(self) -> None:
        """Reset the chip into its application, whatever state it is in, and close the port."""
        start_application(self._serial)
        self._serial.close()

    def _refuse_other_chips(self, esp: Any, image: writing.Image) -> None:
        found = esp.CHIP_NAME
        if found.lower().replace("-", "") != image.chip:
            raise UserError(
                f"PORT={self._request.port} has an {found}; {image.board} is for {image.chip}",
                "plug in such a board, or name another one: BOARD=...",
            )
        self._refuse_small_psram(esp, image)
        if _is_locked(esp):
            raise UserError(
                f"PORT={self._request.port}: the chip has secure boot, secure download or flash "
                "encryption enabled; a plain image would not boot there",
                "use a chip without them",
            )

    def _refuse_small_psram(self, esp: Any, image: writing.Image) -> None:
        """Compare the PSRAM in the chip's package, where the chip has a record of it."""
        if not hasattr(esp, "get_psram_cap"):
            return
        megabytes = _PSRAM_CAPACITIES.get(esp.get_psram_cap())
        if megabytes is not None and megabytes << 20 < image.psram_size:
            raise UserError(
                f"PORT={self._request.port} has {f'{megabytes}MB' if megabytes else 'no'} PSRAM; "
                f"{image.board} needs {image.psram_size >> 20}MB",
                "use a board with more PSRAM, or another BOARD",
            )

    def _refuse_small_flash(self, image: writing.Image) -> None:
        found = esptool.detect_flash_size(self._esp)
        if found is None or flash_size_bytes(found) < image.flash_size:
            raise UserError(
                f"PORT={self._request.port} has {found or 'an unknown size'} of flash; "
                f"{image.board} needs {image.flash_size >> 20}MB",
                "use a board with more flash, or another BOARD with a smaller partition table",
            )
        self._esp.flash_set_parameters(flash_size_bytes(found))


def _is_locked(esp: Any) -> bool:
    """Whether the chip boots, or takes, signed or encrypted images only."""
    if not esp.SECURITY_INFO_SUPPORTED:
        return bool(esp.get_secure_boot_enabled() or esp.get_flash_encryption_enabled())
    security = esp.get_security_info()
    flags = security["parsed_flags"]
    encrypted = security["flash_crypt_cnt"].bit_count() % 2 == 1  # odd: encryption is on
    return bool(encrypted or flags["SECURE_BOOT_EN"] or flags["SECURE_DOWNLOAD_ENABLE"])


def _write_timeout(unpacked: int) -> float:
    """Seconds that the stub may take to write a block that unpacks to so many bytes.

    It erases ahead of the data, a flash block with every window that it unpacks.
    """
    erased = (-(-unpacked // _STUB_WINDOW) + 1) * _ERASE_BLOCK
    return float(loader.timeout_per_mb(loader.ERASE_WRITE_TIMEOUT_PER_MB, unpacked + erased))
