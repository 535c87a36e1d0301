# SPDX-License-Identifier: MIT
"""The flasher stub: the program that esptool loads into RAM to take over from the ROM loader.

What it answers follows Espressif's esp-flasher-stub; the board stands in for its Xtensa code.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable

from viper.image.sectors import SECTOR_SIZE
from viper.virtual_chip.chip import Chip
from viper.virtual_chip.loader_protocol import (
    STUB_GREETING,
    Command,
    CommandFailed,
    LeaveLoader,
    Loader,
    Next,
    Request,
)
from viper.virtual_chip.nor_flash import FlashFault, NorFlash
from viper.virtual_chip.registers import Registers

_BLOCK_SIZE = 64 * 1024  # erased at once where a write covers it
_READ_PACKET_LIMIT = 4096


class StubLoader(Loader):
    """Answers a block before it is written, so that the line and the flash work at once.

    An error of such late work is the answer to the next command, which is then not carried out.
    """

    _BAD_FORMAT = 0xC000
    _BAD_CHECKSUM = 0xC100
    _UNKNOWN_COMMAND = 0xC300
    _FLASH_FAILED = 0xC400
    _NOT_IN_FLASH_MODE = 0xC600
    _INFLATE_FAILED = 0xC700
    _TOO_MUCH_DATA = 0xC900
    _NOT_IMPLEMENTED = 0xFF00

    _write: _FlashWrite | None = None
    _reading: _FlashReading | None = None
    _late_work: Callable[[], None] | None = None
    _late_error = 0

    def __init__(
        self, chip: Chip, flash: NorFlash, registers: Registers, send: Callable[[bytes], None]
    ) -> None:
        super().__init__(chip, flash, registers, send)
        registers.flash_attached = True  # the first that the stub does

    def greet(self) -> None:
        """Say that the stub runs."""
        self._send_packet(STUB_GREETING)

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
            Command.SPI_FLASH_MD5: self._spi_flash_md5,
            Command.ERASE_FLASH: self._erase_flash,
            Command.ERASE_REGION: self._erase_region,
            Command.READ_FLASH: self._read_flash,
            Command.RUN_USER_CODE: self._run_user_code,
        }

    def _packet(self, packet: bytes) -> None:
        if self._reading is None:
            super()._packet(packet)
        else:
            self._reading.acknowledge(packet)
            if self._reading.over:
                self._reading = None

    def _request(self, request: Request) -> None:
        if self._late_error:
            error, self._late_error = self._late_error, 0
            self._answer(request.command, error=error)
            return
        super()._request(request)
        work, self._late_work = self._late_work, None
        if work is not None:
            try:
                work()
            except FlashFault:
                self._late_error = self._FLASH_FAILED
            except CommandFailed as failure:
                self._late_error = failure.code

    def _spi_attach(self, request: Request) -> None:
        request.words(1)
        self._answer(request.command)

    def _spi_set_params(self, request: Request) -> None:
        """Taken and not needed: the flash knows its own size."""
        request.words(6)
        self._answer(request.command)

    def _flash_begin(self, request: Request) -> None:
        size, _blocks, _block_size, offset, encrypted = request.words(4, optional=1)
        if encrypted:
            raise CommandFailed(self._NOT_IMPLEMENTED)
        self._write = _FlashWrite(self.flash, offset, size)
        self._answer(request.command)

    def _writing(self) -> _FlashWrite:
        if self._write is None:
            raise CommandFailed(self._NOT_IN_FLASH_MODE)
        return self._write

    def _flash_data(self, request: Request) -> None:
        write = self._writing()
        _sequence, payload = self._checked_block(request)
        self._answer(request.command)
        # The last block is padded to its full size: what is over is not written.
        self._late_work = lambda: write.add(payload[: write.remaining])

    def _flash_defl_data(self, request: Request) -> None:
        write = self._writing()
        _sequence, payload = self._checked_block(request)
        self._answer(request.command)
        self._late_work = lambda: self._inflate(write, payload)

    def _inflate(self, write: _FlashWrite, payload: bytes) -> None:
        try:
            data = write.inflater.decompress(payload, write.remaining + 1)
        except zlib.error:
            raise CommandFailed(self._INFLATE_FAILED) from None
        if len(data) > write.remaining:
            raise CommandFailed(self._TOO_MUCH_DATA)
        write.add(data)

    def _flash_end(self, request: Request) -> None:
        """End the write; the flag that asks to leave the loader is not followed, as in the stub."""
        request.words(1)
        if self._writing().remaining:
            raise ValueError("the write has not come to its end")
        self._write = None
        self._answer(request.command)

    def _spi_flash_md5(self, request: Request) -> None:
        offset, size, _, _ = request.words(4)
        self._answer(request.command, data=self.flash.md5(offset, size))

    def _erase_flash(self, request: Request) -> None:
        request.words(0)
        self.flash.erase(0, self.flash.size)
        self._answer(request.command)

    def _erase_region(self, request: Request) -> None:
        offset, size = request.words(2)
        self.flash.erase(offset, size)
        self._answer(request.command)

    def _read_flash(self, request: Request) -> None:
        offset, size, packet_size, in_flight = request.words(4)
        if not 0 < packet_size <= _READ_PACKET_LIMIT or not in_flight:
            raise ValueError("no way to read")
        data = self.flash.read(offset, size)
        self._answer(request.command)
        reading = _FlashReading(data, packet_size, in_flight, self._send_packet)
        self._reading = None if reading.over else reading

    def _run_user_code(self, request: Request) -> None:
        raise LeaveLoader(Next.APPLICATION)  # without an answer


class _FlashWrite:
    """A write under way: sectors are erased as the data reaches them.

    While everything before was blank, a blank sector is left as it is; after the first that is
    not, all are erased unread (a new chip is not worn, a used one not read for nothing).
    """

    def __init__(self, flash: NorFlash, offset: int, size: int) -> None:
        self.remaining = size
        self.inflater = zlib.decompressobj()
        self._flash = flash
        self._offset = offset
        self._next_erase = offset - offset % SECTOR_SIZE
        self._erase_end = -(-(offset + size) // SECTOR_SIZE) * SECTOR_SIZE
        self._all_blank = True
        flash.check_range(self._next_erase, self._erase_end - self._next_erase)

    def add(self, data: bytes) -> None:
        """Program the next bytes."""
        while self._next_erase < self._offset + len(data):
            self._erase_next()
        self._flash.program(self._offset, data)
        self._offset += len(data)
        self.remaining -= len(data)

    def _erase_next(self) -> None:
        start = self._next_erase
        whole_block = start % _BLOCK_SIZE == 0 and self._erase_end - start >= _BLOCK_SIZE
        size = _BLOCK_SIZE if whole_block and not self._all_blank else SECTOR_SIZE
        self._all_blank = self._all_blank and self._flash.is_blank(start, size)
        if not self._all_blank:
            self._flash.erase(start, size)
        self._next_erase += size


class _FlashReading:
    """Flash on its way to the host: packets without a header, a bounded number ahead of the host.

    Each packet from the host is the total it has received; after the last one goes the MD5.
    """

    def __init__(
        self, data: bytes, packet_size: int, in_flight: int, send: Callable[[bytes], None]
    ) -> None:
        self._data = data
        self._packet_size = packet_size
        self._window = in_flight * packet_size
        self._send = send
        self._sent = 0
        self.over = False
        self._pump(received=0)

    def acknowledge(self, packet: bytes) -> None:
        """Take the host's total; anything else than four bytes ends the reading early."""
        nonsense = len(packet) != 4
        self._pump(len(self._data) if nonsense else int.from_bytes(packet, "little"))

    def _pump(self, received: int) -> None:
        if received >= len(self._data):
            self._send(hashlib.md5(self._data, usedforsecurity=False).digest())
            self.over = True
            return
        end = min(len(self._data), received + self._window)
        while self._sent < end:
            packet = self._data[self._sent : self._sent + self._packet_size]
            self._sent += len(packet)
            self._send(packet)
