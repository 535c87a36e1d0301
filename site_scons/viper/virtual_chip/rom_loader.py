# SPDX-License-Identifier: MIT
"""The loader in the chip's ROM, which a reset into download mode starts."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from viper.image.sectors import SECTOR_SIZE
from viper.virtual_chip.loader_protocol import (
    Command,
    CommandFailed,
    LeaveLoader,
    Loader,
    Next,
    Request,
)
from viper.virtual_chip.nor_flash import FlashFault

_READ_LIMIT = 64  # bytes that READ_FLASH_SLOW answers, always as many


class RomLoader(Loader):
    """Erases a whole region when a write begins, and answers each block once it is written."""

    _STATUS_PADDING = bytes(2)
    _SYNC_VALUE = 0x20120707
    _UNKNOWN_COMMAND = _BAD_FORMAT = 0x0105
    _FLASH_FAILED = 0x0106
    _BAD_CHECKSUM = 0x0107
    _INFLATE_FAILED = 0x010B

    _download: _Download | None = None

    def _handlers(self) -> dict[int, Callable[[Request], None]]:
        return super()._handlers() | {
            Command.SPI_ATTACH: self._spi_attach,
            Command.SPI_SET_PARAMS: self._spi_set_params,
            Command.FLASH_BEGIN: self._flash_begin,
            Command.FLASH_DATA: self._flash_data,
            Command.FLASH_END: self._flash_end,
            Command.FLASH_DEFL_BEGIN: self._flash_begin,
            Command.FLASH_DEFL_DATA: self._flash_defl_data,
            Command.FLASH_DEFL_END: self._flash_end,
            Command.READ_FLASH_SLOW: self._read_flash_slow,
            Command.SPI_FLASH_MD5: self._spi_flash_md5,
        }

    def _spi_attach(self, request: Request) -> None:
        request.words(2)
        self.registers.flash_attached = True
        self._answer(request.command)

    def _spi_set_params(self, request: Request) -> None:
        """Taken and not needed: the flash knows its own size."""
        request.words(6)
        self._answer(request.command)

    def _need_flash(self) -> None:
        if not self.registers.flash_attached:
            raise FlashFault("the SPI flash is not attached")

    def _flash_begin(self, request: Request) -> None:
        """Erase the sectors that are about to be written."""
        size, _blocks, block_size, offset, encrypted = request.words(4, optional=1)
        if encrypted:
            raise CommandFailed(self._UNKNOWN_COMMAND)
        if size:
            self._need_flash()
            first = offset - offset % SECTOR_SIZE
            end = -(-(offset + size) // SECTOR_SIZE) * SECTOR_SIZE
            self.flash.erase(first, end - first)
        self._download = _Download(offset, block_size, size)
        self._answer(request.command)

    def _downloading(self) -> _Download:
        if self._download is None:
            raise FlashFault("no write has begun")
        return self._download

    def _flash_data(self, request: Request) -> None:
        sequence, payload = self._checked_block(request)
        download = self._downloading()
        self.flash.program(download.offset + sequence * download.block_size, payload)
        self._answer(request.command)

    def _flash_defl_data(self, request: Request) -> None:
        _sequence, payload = self._checked_block(request)
        download = self._downloading()
        try:
            data = download.inflater.decompress(payload, download.remaining + 1)
        except zlib.error:
            raise CommandFailed(self._INFLATE_FAILED) from None
        if len(data) > download.remaining:
            raise CommandFailed(self._INFLATE_FAILED)
        self.flash.program(download.offset, data)
        download.offset += len(data)
        download.remaining -= len(data)
        self._answer(request.command)

    def _flash_end(self, request: Request) -> None:
        (stay_out_of_reset,) = request.words(1)
        self._answer(request.command)
        raise LeaveLoader(Next.APPLICATION if stay_out_of_reset else Next.RESET)

    def _read_flash_slow(self, request: Request) -> None:
        self._need_flash()
        offset, size = request.words(2)
        if size > _READ_LIMIT:
            raise ValueError(f"reading more than {_READ_LIMIT} bytes at once")
        self._answer(request.command, data=self.flash.read(offset, size).ljust(_READ_LIMIT, b"\0"))

    def _spi_flash_md5(self, request: Request) -> None:
        self._need_flash()
        offset, size, _, _ = request.words(4)
        self._answer(request.command, data=self.flash.md5(offset, size).hex().encode())


class _Download:
    """A write under way.

    Attributes:
        offset: where block 0 goes, or the next inflated byte.
        block_size: bytes of a block that is not compressed.
        remaining: inflated bytes still to come.
        inflater: what has come of a compressed write so far.
    """

    def __init__(self, offset: int, block_size: int, size: int) -> None:
        self.offset = offset
        self.block_size = block_size
        self.remaining = size
        self.inflater = zlib.decompressobj()
