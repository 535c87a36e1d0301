# SPDX-License-Identifier: MIT
"""The serial loader protocol: commands, packets and what both loaders have in common.

The protocol is specified in esptool's documentation, "Serial Protocol" (ESP32-S3).
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable
from dataclasses import dataclass

from viper.image.app_image import checksum
from viper.virtual_chip import slip
from viper.virtual_chip.chip import Chip
from viper.virtual_chip.nor_flash import FlashFault, NorFlash
from viper.virtual_chip.registers import Registers


class Command(enum.IntEnum):
    """What a tool can ask of a loader; numbers of esptool's serial protocol."""

    FLASH_BEGIN = 0x02
    FLASH_DATA = 0x03
    FLASH_END = 0x04
    MEM_BEGIN = 0x05
    MEM_END = 0x06
    MEM_DATA = 0x07
    SYNC = 0x08
    WRITE_REG = 0x09
    READ_REG = 0x0A
    SPI_SET_PARAMS = 0x0B
    SPI_ATTACH = 0x0D
    READ_FLASH_SLOW = 0x0E
    CHANGE_BAUDRATE = 0x0F
    FLASH_DEFL_BEGIN = 0x10
    FLASH_DEFL_DATA = 0x11
    FLASH_DEFL_END = 0x12
    SPI_FLASH_MD5 = 0x13
    GET_SECURITY_INFO = 0x14
    ERASE_FLASH = 0xD0
    ERASE_REGION = 0xD1
    READ_FLASH = 0xD2
    RUN_USER_CODE = 0xD3


class Next(enum.Enum):
    """Where the chip goes when it leaves the loader."""

    APPLICATION = "application"
    RESET = "reset"
    STUB = "stub"
    CRASH = "crash"


class LeaveLoader(Exception):
    """The loader has handed over; what it had to answer has been sent."""

    def __init__(self, target: Next) -> None:
        super().__init__(target.value)
        self.target = target


class CommandFailed(Exception):
    """The command is answered with this error code."""

    def __init__(self, code: int) -> None:
        super().__init__(f"{code:#x}")
        self.code = code


@dataclass(frozen=True)
class Request:
    """One command as it came, its checksum not yet looked at."""

    command: int
    data: bytes
    checksum: int

    def words(self, count: int, *, optional: int = 0) -> tuple[int, ...]:
        """The data as little-endian words, which it must consist of.

        Args:
            count: how many there must be.
            optional: how many more there may be; missing ones read 0.

        Raises:
            ValueError: the data has another length.
        """
        if len(self.data) not in (4 * count, 4 * (count + optional)):
            raise ValueError(f"{len(self.data)} bytes of data, not {4 * count}")
        words = struct.unpack(f"<{len(self.data) // 4}I", self.data)
        return words + (0,) * (count + optional - len(words))

    def block(self) -> tuple[int, bytes]:
        """Sequence number and payload of a data packet.

        Raises:
            ValueError: the payload is not as long as the packet says.
        """
        if len(self.data) < _BLOCK_HEADER.size:
            raise ValueError("a data packet without its header")
        size, sequence, _, _ = _BLOCK_HEADER.unpack_from(self.data)
        payload = self.data[_BLOCK_HEADER.size :]
        if size != len(payload):
            raise ValueError(f"{len(payload)} bytes of payload, not {size}")
        return sequence, payload


_HEADER = struct.Struct("<BBHI")  # direction, command, size of data, checksum or value
_BLOCK_HEADER = struct.Struct("<IIII")
_REQUEST, _RESPONSE = 0, 1
PACKET_LIMIT = _HEADER.size + 0xFFFF

_SYNC_DATA = b"\x07\x07\x12\x20" + 32 * b"\x55"
_SYNC_ANSWERS = 8

STUB_GREETING = b"OHAI"  # what esptool's flasher stub says when it starts


class RamUpload:
    """What a host loads into RAM with MEM_BEGIN and MEM_DATA, to run it with MEM_END."""

    _RAM_SIZE = 512 * 1024

    def __init__(self) -> None:
        self._segments: dict[int, bytearray] = {}
        self._address = 0
        self._block_size = 0

    def begin(self, size: int, block_size: int, address: int) -> None:
        """Start a segment; ValueError if it does not fit the RAM."""
        others = sum(len(data) for start, data in self._segments.items() if start != address)
        if not 0 < size <= self._RAM_SIZE - others:
            raise ValueError(f"{size} bytes do not fit the RAM")
        self._segments[address] = bytearray(size)
        self._address = address
        self._block_size = block_size

    def add(self, sequence: int, payload: bytes) -> None:
        """Place a block; ValueError outside the segment begun."""
        segment = self._segments.get(self._address)
        start = sequence * self._block_size
        if segment is None or start + len(payload) > len(segment):
            raise ValueError("a block outside its segment")
        segment[start : start + len(payload)] = payload

    def jump(self, entry: int) -> Next:
        """Where the chip goes when it jumps to an address in RAM.

        The board runs no Xtensa code. It knows esptool's flasher stub by the greeting that it
        carries, and takes its place; any other program crashes here.
        """
        entered = any(
            start <= entry < start + len(segment) for start, segment in self._segments.items()
        )
        greets = any(STUB_GREETING in segment for segment in self._segments.values())
        return Next.STUB if entered and greets else Next.CRASH


class Loader:
    """A program that answers requests in download mode: bytes in, bytes out.

    Args:
        chip: what to say about the chip.
        flash: what is read and written.
        registers: the chip's registers since its last reset.
        send: takes the bytes of each answer.
    """

    _STATUS_PADDING = b""  # bytes after the two of the status
    _SYNC_VALUE = 0
    # Error answers; each loader has its own codes.
    _UNKNOWN_COMMAND: int
    _BAD_FORMAT: int
    _BAD_CHECKSUM: int
    _FLASH_FAILED: int

    def __init__(
        self, chip: Chip, flash: NorFlash, registers: Registers, send: Callable[[bytes], None]
    ) -> None:
        self.chip = chip
        self.flash = flash
        self.registers = registers
        self.ram = RamUpload()
        self._send = send
        self._decoder = slip.Decoder(PACKET_LIMIT)
        self._by_command = self._handlers()

    def receive(self, data: bytes) -> None:
        """Take bytes from the line and answer the requests they complete.

        Raises:
            LeaveLoader: the chip goes on elsewhere. Bytes after that request are lost, as in the
                chip's receive buffer.
            PowerLost: while programming the flash.
        """
        for packet in self._decoder.feed(data):
            self._packet(packet)

    def _handlers(self) -> dict[int, Callable[[Request], None]]:
        """The commands that this loader knows. A handler answers its request, or raises."""
        return {
            Command.SYNC: self._sync,
            Command.READ_REG: self._read_reg,
            Command.WRITE_REG: self._write_reg,
            Command.MEM_BEGIN: self._mem_begin,
            Command.MEM_DATA: self._mem_data,
            Command.MEM_END: self._mem_end,
            Command.CHANGE_BAUDRATE: self._change_baudrate,
            Command.GET_SECURITY_INFO: self._get_security_info,
        }

    def _packet(self, packet: bytes) -> None:
        try:
            request = parse(packet)
        except ValueError:
            if len(packet) > 1 and packet[0] == _REQUEST:
                self._answer(packet[1], error=self._BAD_FORMAT)
            return
        self._request(request)

    def _request(self, request: Request) -> None:
        handler = self._by_command.get(request.command)
        try:
            if handler is None:
                raise CommandFailed(self._UNKNOWN_COMMAND)
            handler(request)
        except ValueError:
            self._answer(request.command, error=self._BAD_FORMAT)
        except FlashFault:
            self._answer(request.command, error=self._FLASH_FAILED)
        except CommandFailed as failure:
            self._answer(request.command, error=failure.code)

    def _checked_block(self, request: Request) -> tuple[int, bytes]:
        """Sequence number and payload of a data packet whose checksum is right."""
        sequence, payload = request.block()
        if checksum(payload) != request.checksum:
            raise CommandFailed(self._BAD_CHECKSUM)
        return sequence, payload

    def _send_packet(self, packet: bytes) -> None:
        self._send(slip.encode(packet))

    def _answer(self, command: int, value: int = 0, data: bytes = b"", error: int = 0) -> None:
        """Send a response; an error is its status byte and, after it, its detail."""
        body = data + error.to_bytes(2, "big") + self._STATUS_PADDING
        self._send_packet(_HEADER.pack(_RESPONSE, command, len(body), value) + body)

    # Commands that both loaders have.

    def _sync(self, request: Request) -> None:
        """Answer eight times; the ROM's value is not zero, which tells it from the stub."""
        if request.data != _SYNC_DATA:
            raise ValueError("not the synchronisation pattern")
        for _ in range(_SYNC_ANSWERS):
            self._answer(request.command, self._SYNC_VALUE)

    def _read_reg(self, request: Request) -> None:
        (address,) = request.words(1)
        self._answer(request.command, self.registers.read(address))

    def _write_reg(self, request: Request) -> None:
        if not request.data or len(request.data) % 16:
            raise ValueError("not whole register writes")
        for address, value, mask, _delay_us in struct.iter_unpack("<IIII", request.data):
            kept = self.registers.read(address) & ~mask
            self.registers.write(address, kept | (value & mask))
        self._answer(request.command)
        if self.registers.watchdog_fired:
            raise LeaveLoader(Next.RESET)

    def _mem_begin(self, request: Request) -> None:
        size, _blocks, block_size, address = request.words(4)
        self.ram.begin(size, block_size, address)
        self._answer(request.command)

    def _mem_data(self, request: Request) -> None:
        self.ram.add(*self._checked_block(request))
        self._answer(request.command)

    def _mem_end(self, request: Request) -> None:
        stay, entry = request.words(2)
        self._answer(request.command)
        if not stay:
            raise LeaveLoader(self.ram.jump(entry))

    def _change_baudrate(self, request: Request) -> None:
        """Nothing to do: the line runs at the port's rate on both sides."""
        request.words(2)
        self._answer(request.command)

    def _get_security_info(self, request: Request) -> None:
        """No flag, no flash encryption, no key: a chip from the factory."""
        request.words(0)
        flags, crypt_count, eco = 0, 0, 0
        info = struct.pack("<IB7xII", flags, crypt_count, self.chip.model.image_id, eco)
        self._answer(request.command, data=info)


def parse(packet: bytes) -> Request:
    """The request in a packet.

    Raises:
        ValueError: it is no request, or not as long as it says.
    """
    if len(packet) < _HEADER.size:
        raise ValueError("a packet without its header")
    direction, command, size, check = _HEADER.unpack_from(packet)
    data = packet[_HEADER.size :]
    if direction != _REQUEST or size != len(data):
        raise ValueError("not a whole request")
    return Request(command, data, check)
