# SPDX-License-Identifier: MIT
"""The loader protocol, with host and board in one process."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from viper.image.app_image import checksum
from viper.virtual_chip import slip
from viper.virtual_chip.chip import Chip
from viper.virtual_chip.loader_protocol import Command, LeaveLoader, Loader, Next
from viper.virtual_chip.nor_flash import NorFlash, PowerLost
from viper.virtual_chip.registers import Registers
from viper.virtual_chip.rom_loader import RomLoader
from viper.virtual_chip.shared_page import ChipPage
from viper.virtual_chip.stub_loader import StubLoader

SIZE = 1 << 20
MAC = bytes.fromhex("02aabbccddee")
SYNC = b"\x07\x07\x12\x20" + b"\x55" * 32


class Host:
    """The host's end of a line to a loader."""

    def __init__(self, loader_class: type[Loader], folder: Path) -> None:
        self.page = ChipPage(MAC, 8 << 20)
        self.chip = Chip("esp32s3", MAC, SIZE)
        self.flash = NorFlash(folder / "flash.bin", SIZE, self.page)
        self.registers = Registers(self.chip, self.flash)
        self.received = bytearray()
        self.loader = loader_class(self.chip, self.flash, self.registers, self.received.extend)
        self.status_size = 4 if loader_class is RomLoader else 2

    def close(self) -> None:
        self.flash.close()
        self.page.close()

    def send(self, packet: bytes) -> None:
        self.loader.receive(slip.encode(packet))

    def packets(self) -> list[bytes]:
        """What has come since the last time."""
        packets = list(slip.Decoder(1 << 20).feed(bytes(self.received)))
        self.received.clear()
        return packets

    def ask(self, command: int, *words: int, data: bytes = b"", check: int = 0) -> bytes:
        """Send a request; the whole of its answer."""
        body = struct.pack(f"<{len(words)}I", *words) + data
        self.send(struct.pack("<BBHI", 0, command, len(body), check) + body)
        (answer,) = self.packets()
        assert answer[:2] == bytes([1, command])
        assert struct.unpack_from("<H", answer, 2)[0] == len(answer) - 8
        return answer

    def error(self, command: int, *words: int, data: bytes = b"", check: int = 0) -> int:
        """The answer's two status bytes."""
        answer = self.ask(command, *words, data=data, check=check)
        return int.from_bytes(answer[-self.status_size :][:2], "big")

    def done(self, command: int, *words: int, data: bytes = b"", check: int = 0) -> bytes:
        """The data of an answer that must be a success."""
        answer = self.ask(command, *words, data=data, check=check)
        assert answer[-self.status_size :] == bytes(self.status_size)
        return answer[8 : -self.status_size]

    def block(self, command: int, sequence: int, payload: bytes) -> int:
        """Send a block of data; the answer's status."""
        body = struct.pack("<IIII", len(payload), sequence, 0, 0) + payload
        return self.error(command, data=body, check=checksum(payload))

    def write(self, offset: int, content: bytes, size: int = 0x400) -> None:
        """Write flash uncompressed."""
        blocks = -(-len(content) // size)
        self.done(Command.FLASH_BEGIN, len(content), blocks, size, offset, 0)
        for index in range(blocks):
            payload = content[index * size :][:size].ljust(size, b"\xff")
            assert self.block(Command.FLASH_DATA, index, payload) == 0


@pytest.fixture
def rom(tmp_path: Path) -> Iterator[Host]:
    host = Host(RomLoader, tmp_path)
    yield host
    host.close()


@pytest.fixture
def attached(rom: Host) -> Host:
    rom.done(Command.SPI_ATTACH, 0, 0)
    return rom


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Host]:
    host = Host(StubLoader, tmp_path)
    yield host
    host.close()


@pytest.fixture(params=[RomLoader, StubLoader])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    host = Host(request.param, tmp_path)
    if request.param is RomLoader:
        host.done(Command.SPI_ATTACH, 0, 0)
    yield host
    host.close()


# SLIP


@given(packets=st.lists(st.binary(min_size=1, max_size=40)), data=st.data())
def test_slip_gives_the_packets_however_the_line_is_cut(
    packets: list[bytes], data: st.DataObject
) -> None:
    line = b"".join(slip.encode(packet) for packet in packets)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(line)))))
    decoder = slip.Decoder(40)
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(line)], strict=True):
        found += decoder.feed(line[start:end])
    assert found == packets


def test_slip_split_at_each_byte() -> None:
    line = b"noise" + slip.encode(b"\xc0\xdb\xdc\xdd") + b"\xc0" + slip.encode(b"next")
    for cut in range(len(line)):
        decoder = slip.Decoder(10)
        found = [*decoder.feed(line[:cut]), *decoder.feed(line[cut:])]
        assert found == [b"\xc0\xdb\xdc\xdd", b"next"]


@pytest.mark.parametrize(
    "bad", [b"\xc0a\xdbb\xc0", b"\xc0a\xdb\xc0", b"\xc0" + b"x" * 11 + b"\xc0"]
)
def test_slip_drops_a_broken_or_oversized_packet_alone(bad: bytes) -> None:
    decoder = slip.Decoder(10)
    assert list(decoder.feed(bad + slip.encode(b"good"))) == [b"good"]


def test_slip_keeps_a_packet_of_exactly_the_limit_all_escaped() -> None:
    assert list(slip.Decoder(10).feed(slip.encode(b"\xc0" * 10))) == [b"\xc0" * 10]
    assert list(slip.Decoder(10).feed(slip.encode(b"\xc0" * 11))) == []


def test_slip_without_an_end_does_not_grow() -> None:
    decoder = slip.Decoder(10)
    for _ in range(1000):
        assert list(decoder.feed(b"\xc0" if _ == 0 else b"x" * 1000)) == []
    assert list(decoder.feed(b"\xc0" + slip.encode(b"next"))) == [b"next"]


# Both loaders


@given(payload=st.binary(max_size=70))
def test_checksum_is_the_xor_of_all_bytes(payload: bytes) -> None:
    expected = 0xEF
    for byte in payload:
        expected ^= byte
    assert checksum(payload) == expected


@pytest.mark.parametrize(("loader", "value"), [(RomLoader, True), (StubLoader, False)])
def test_sync_is_answered_eight_times_and_tells_rom_from_stub(
    tmp_path: Path, loader: type[Loader], value: bool
) -> None:
    host = Host(loader, tmp_path)
    host.send(struct.pack("<BBHI", 0, Command.SYNC, len(SYNC), 0) + SYNC)
    answers = host.packets()
    assert len(answers) == 8
    assert all(bool(struct.unpack_from("<I", answer, 4)[0]) == value for answer in answers)
    host.close()


def test_security_info_names_the_chip(either: Host) -> None:
    info = either.done(Command.GET_SECURITY_INFO)
    assert len(info) == 20
    assert struct.unpack_from("<I", info, 12)[0] == 9


def read_reg(host: Host, address: int) -> int:
    value: int = struct.unpack_from("<I", host.ask(Command.READ_REG, address), 4)[0]
    return value


@pytest.mark.parametrize(("name", "magic"), [("esp32s3", 9), ("esp32c6", 0x2CE0806F)])
def test_a_word_of_the_rom_tells_the_chip_and_stays(rom: Host, name: str, magic: int) -> None:
    rom.loader.registers = Registers(Chip(name, MAC, SIZE), rom.flash)
    rom.done(Command.WRITE_REG, 0x40001000, 0, 0xFFFFFFFF, 0)
    assert read_reg(rom, 0x40001000) == magic


def flash_id(host: Host) -> int:
    """What the flash chip answers to 9F, asked by the SPI controller's registers."""
    spi = 0x60002000
    user = [(0x18, 1 << 31 | 1 << 28), (0x28, 23), (0x20, 7 << 28 | 0x9F), (0x00, 1 << 18)]
    for offset, value in user:
        host.done(Command.WRITE_REG, spi + offset, value, 0xFFFFFFFF, 0)
    return read_reg(host, spi + 0x58)


def test_the_flash_tells_who_it_is_once_it_is_attached(rom: Host) -> None:
    assert flash_id(rom) == 0
    rom.done(Command.SPI_ATTACH, 0, 0)
    assert flash_id(rom) == 0x1440EF  # 1 MiB


def test_the_stub_attaches_the_flash_itself(stub: Host) -> None:
    assert flash_id(stub) == 0x1440EF


def test_the_mac_is_in_the_efuses_and_stays(either: Host) -> None:
    either.done(Command.WRITE_REG, 0x60007044, 0, 0xFFFFFFFF, 0)
    low, high = read_reg(either, 0x60007044), read_reg(either, 0x60007048)
    assert struct.pack(">II", high, low)[2:] == MAC


def test_a_masked_register_write_keeps_the_other_bits(either: Host) -> None:
    either.done(Command.WRITE_REG, 0x60004000, 0x12345678, 0xFFFFFFFF, 0)
    either.done(Command.WRITE_REG, 0x60004000, 0xFFFFFFFF, 0xFF, 0)
    assert read_reg(either, 0x60004000) == 0x123456FF


def spi_command(host: Host, command: int, bits: int, address: int = 0) -> int:
    for offset, value in (
        (0x28, bits - 1),
        (0x20, 7 << 28 | command),
        (0x04, address),
        (0, 1 << 18),
    ):
        host.done(Command.WRITE_REG, 0x60002000 + offset, value, 0xFFFFFFFF, 0)
    assert read_reg(host, 0x60002000) == 0, "the command is still running"
    return read_reg(host, 0x60002058)


def test_the_flash_chip_answers_who_it_is(either: Host) -> None:
    assert spi_command(either, 0x9F, 24) == 0x1440EF  # 2**0x14 bytes
    assert spi_command(either, 0x5A, 32) == int.from_bytes(b"SFDP", "little")
    assert spi_command(either, 0x05, 8) == 0


@pytest.mark.parametrize("kind", ["short", "long", "direction", "unknown"])
def test_a_malformed_request_is_an_error_and_the_next_one_works(either: Host, kind: str) -> None:
    good = struct.pack("<BBHI", 0, Command.READ_REG, 4, 0) + bytes(4)
    bad = {
        "short": good[:-1],
        "long": good + b"\0",
        "direction": b"\1" + good[1:],
        "unknown": struct.pack("<BBHI", 0, 0x77, 4, 0) + bytes(4),
    }[kind]
    either.send(bad)
    answers = either.packets()
    assert len(answers) == (0 if kind == "direction" else 1)
    assert all(answer[-either.status_size] for answer in answers)
    assert read_reg(either, 0) == 0


def test_every_command_refuses_data_of_the_wrong_length(either: Host) -> None:
    for command in Command:
        if command is Command.RUN_USER_CODE:
            continue  # it is not answered
        assert either.error(command, data=b"\1\2\3") != 0, command.name
    assert either.flash.is_blank(0, SIZE)


@given(noise=st.binary(max_size=300))
def test_noise_never_breaks_a_loader(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes
) -> None:
    for loader in (RomLoader, StubLoader):
        host = Host(loader, tmp_path_factory.mktemp("noise"))
        host.loader.receive(noise + b"\xc0\xc0")
        host.received.clear()
        host.loader.receive(b"\xc0\xc0")
        host.close()


@pytest.mark.parametrize("offset", [SIZE, SIZE - 0x1000, 0xFFFFF000])
def test_flash_beyond_its_end_is_refused(either: Host, offset: int) -> None:
    assert either.error(Command.FLASH_BEGIN, 0x2000, 8, 0x400, offset, 0) != 0
    assert either.error(Command.SPI_FLASH_MD5, offset, 0x2000, 0, 0) != 0


def test_a_block_with_a_wrong_checksum_is_not_written(either: Host) -> None:
    either.done(Command.FLASH_BEGIN, 0x400, 1, 0x400, 0, 0)
    body = struct.pack("<IIII", 0x400, 0, 0, 0) + bytes(0x400)
    assert either.error(Command.FLASH_DATA, data=body, check=1) != 0
    assert either.flash.is_blank(0, SIZE)


def test_a_block_shorter_than_it_says_is_not_written(either: Host) -> None:
    either.done(Command.FLASH_BEGIN, 0x400, 1, 0x400, 0, 0)
    body = struct.pack("<IIII", 0x400, 0, 0, 0) + bytes(0x3FF)
    assert either.error(Command.FLASH_DATA, data=body, check=0xEF) != 0
    assert either.flash.is_blank(0, SIZE)


# RAM and the stub


def upload(host: Host, address: int, program: bytes) -> None:
    host.done(Command.MEM_BEGIN, len(program), 1, 0x1800, address)
    assert host.block(Command.MEM_DATA, 0, program) == 0


@pytest.mark.parametrize(
    ("program", "entry", "target"),
    [
        (b"code OHAI code", 0x40378004, Next.STUB),
        (b"code OHAI code", 0x40379000, Next.CRASH),
        (b"another program", 0x40378004, Next.CRASH),
    ],
)
def test_only_the_stub_can_run_from_ram(
    rom: Host, program: bytes, entry: int, target: Next
) -> None:
    upload(rom, 0x40378000, program)
    request = struct.pack("<BBHI", 0, Command.MEM_END, 8, 0) + struct.pack("<II", 0, entry)
    with pytest.raises(LeaveLoader) as leaving:
        rom.send(request)
    assert leaving.value.target is target
    assert len(rom.packets()) == 1


def test_ram_is_bounded(rom: Host) -> None:
    for address in range(10):
        if rom.error(Command.MEM_BEGIN, 0x10000, 1, 0x1800, address << 20):
            assert address == 8  # 512 KB
            break
    else:
        pytest.fail("the RAM has no end")
    assert rom.error(Command.MEM_BEGIN, 0xFFFFFFFF, 1, 0x1800, 0) != 0
    assert rom.block(Command.MEM_DATA, 0xFFFF, bytes(16)) != 0


# ROM


def test_the_rom_needs_the_flash_attached(rom: Host) -> None:
    assert rom.error(Command.FLASH_BEGIN, 0x400, 1, 0x400, 0, 0) == 0x0106
    assert rom.error(Command.SPI_FLASH_MD5, 0, 0x400, 0, 0) == 0x0106


def test_the_rom_erases_first_and_answers_when_written(attached: Host) -> None:
    attached.flash.program(0x1000, bytes(0x3000))
    attached.done(Command.FLASH_BEGIN, 0x1400, 5, 0x400, 0x1000, 0)
    assert attached.page.sectors_erased == 2
    assert attached.flash.is_blank(0x1000, 0x2000)
    assert not any(attached.flash.read(0x3000, 0x1000))
    assert attached.block(Command.FLASH_DATA, 1, b"b" * 0x400) == 0  # in any order
    assert attached.block(Command.FLASH_DATA, 0, b"a" * 0x400) == 0
    assert attached.flash.read(0x1000, 0x800) == b"a" * 0x400 + b"b" * 0x400


def test_the_rom_inflates(attached: Host) -> None:
    content = os.urandom(3000) + bytes(9000)
    packed = zlib.compress(content)
    attached.done(Command.FLASH_DEFL_BEGIN, len(content), 9, 0x400, 0, 0)
    for index in range(-(-len(packed) // 0x400)):
        assert attached.block(Command.FLASH_DEFL_DATA, index, packed[index * 0x400 :][:0x400]) == 0
    assert attached.flash.read(0, len(content)) == content
    md5 = attached.done(Command.SPI_FLASH_MD5, 0, len(content), 0, 0)
    assert md5.decode() == hashlib.md5(content).hexdigest()


def test_the_rom_reads_64_bytes_at_a_time(attached: Host) -> None:
    attached.flash.program(0, b"viper")
    assert attached.done(Command.READ_FLASH_SLOW, 0, 5) == b"viper".ljust(64, b"\0")
    assert attached.error(Command.READ_FLASH_SLOW, 0, 65) != 0


@pytest.mark.parametrize(("flag", "target"), [(0, Next.RESET), (1, Next.APPLICATION)])
def test_the_rom_leaves_by_flash_end(rom: Host, flag: int, target: Next) -> None:
    with pytest.raises(LeaveLoader) as leaving:
        rom.send(struct.pack("<BBHII", 0, Command.FLASH_END, 4, 0, flag))
    assert leaving.value.target is target


def test_the_watchdog_resets_when_armed_and_locked(either: Host) -> None:
    either.done(Command.WRITE_REG, 0x600080B0, 0x50D83AA1, 0xFFFFFFFF, 0)
    either.done(Command.WRITE_REG, 0x60008098, 1 << 31, 0xFFFFFFFF, 0)
    with pytest.raises(LeaveLoader):
        either.done(Command.WRITE_REG, 0x600080B0, 0, 0xFFFFFFFF, 0)


# Stub


def test_the_stub_writes_exactly_the_size_begun(stub: Host) -> None:
    stub.flash.program(0, bytes(0x3000))
    stub.write(0x1000, b"x" * 0x500)
    stub.done(Command.FLASH_END, 1)
    assert stub.flash.read(0x1000, 0x600) == b"x" * 0x500 + b"\xff" * 0x100
    assert not any(stub.flash.read(0, 0x1000))
    assert not any(stub.flash.read(0x2000, 0x1000))
    assert stub.page.sectors_erased == 1
    assert stub.page.bytes_programmed == 0x3000 + 0x500


def test_the_stub_leaves_blank_sectors_unerased_until_one_is_not(stub: Host) -> None:
    stub.flash.program(0x2000, b"\0")
    stub.write(0, b"y" * 0x5000, size=0x4000)
    stub.done(Command.FLASH_END, 1)
    assert stub.flash.read(0, 0x5000) == b"y" * 0x5000
    assert stub.page.sectors_erased == 3


@pytest.mark.parametrize("block_size", [1, 0x400, 0x4000])
def test_the_stub_inflates(stub: Host, block_size: int) -> None:
    content = os.urandom(200) + bytes(70000)
    packed = zlib.compress(content, 9)
    blocks = [packed[start : start + block_size] for start in range(0, len(packed), block_size)]
    stub.done(Command.FLASH_DEFL_BEGIN, len(content), len(blocks), block_size, 0x1000, 0)
    for index, block in enumerate(blocks):
        assert stub.block(Command.FLASH_DEFL_DATA, index, block) == 0
    stub.done(Command.FLASH_DEFL_END, 1)
    assert stub.done(Command.SPI_FLASH_MD5, 0x1000, len(content), 0, 0) == (
        hashlib.md5(content).digest()
    )


def test_the_stub_tells_a_late_error_with_the_next_command(stub: Host) -> None:
    stub.page.bad_sector = 0
    stub.flash.program(0x1000, b"\0")
    stub.done(Command.FLASH_BEGIN, 0x400, 1, 0x400, 0, 0)
    assert stub.block(Command.FLASH_DATA, 0, bytes(0x400)) == 0
    assert stub.error(Command.FLASH_END, 1) == 0xC400
    assert stub.error(Command.READ_REG, 0) == 0


@pytest.mark.parametrize(
    ("packed", "error"), [(b"\0 no zlib", 0xC700), (zlib.compress(bytes(0x2000)), 0xC900)]
)
def test_the_stub_refuses_data_that_does_not_inflate_to_its_size(
    stub: Host, packed: bytes, error: int
) -> None:
    stub.done(Command.FLASH_DEFL_BEGIN, 0x1000, 1, 0x400, 0, 0)
    assert stub.block(Command.FLASH_DEFL_DATA, 0, packed) == 0
    assert stub.error(Command.FLASH_DEFL_END, 1) == error
    assert stub.flash.is_blank(0, SIZE)


def test_the_stub_ends_only_a_whole_write(stub: Host) -> None:
    assert stub.error(Command.FLASH_END, 1) == 0xC600
    assert stub.block(Command.FLASH_DATA, 0, bytes(16)) == 0xC600
    stub.done(Command.FLASH_BEGIN, 0x800, 2, 0x400, 0, 0)
    assert stub.block(Command.FLASH_DATA, 0, bytes(0x400)) == 0
    assert stub.error(Command.FLASH_END, 1) == 0xC000


def test_the_stub_erases(stub: Host) -> None:
    stub.flash.program(0, bytes(0x4000))
    stub.done(Command.ERASE_REGION, 0x1000, 0x1000)
    assert stub.page.sectors_erased == 1
    assert stub.error(Command.ERASE_REGION, 0x800, 0x1000) != 0
    stub.done(Command.ERASE_FLASH)
    assert stub.flash.is_blank(0, SIZE)


def test_power_lost_in_a_write_programs_exactly_the_budget(stub: Host) -> None:
    stub.page.power_budget = 1234
    stub.done(Command.FLASH_BEGIN, 0x1000, 4, 0x400, 0, 0)
    assert stub.block(Command.FLASH_DATA, 0, bytes(0x400)) == 0
    body = struct.pack("<IIII", 0x400, 1, 0, 0) + bytes(0x400)
    with pytest.raises(PowerLost):
        stub.send(struct.pack("<BBHI", 0, Command.FLASH_DATA, len(body), 0xEF) + body)
    assert stub.flash.read(0, SIZE) == bytes(1234) + b"\xff" * (SIZE - 1234)


@pytest.mark.parametrize("size", [0, 1, 0x1000, 0x5123])
@pytest.mark.parametrize("in_flight", [1, 3, 64])
def test_the_stub_reads_with_a_bounded_number_of_packets_ahead(
    stub: Host, size: int, in_flight: int
) -> None:
    content = os.urandom(size)
    stub.flash.program(0x100, content)
    body = struct.pack("<IIII", 0x100, size, 0x1000, in_flight)
    stub.send(struct.pack("<BBHI", 0, Command.READ_FLASH, 16, 0) + body)
    answer, *waiting = stub.packets()
    assert answer[-2:] == b"\0\0"
    read, ahead = b"", 0
    while len(read) < size:
        ahead = max(ahead, len(waiting))
        read += waiting.pop(0)
        stub.send(struct.pack("<I", len(read)))
        waiting += stub.packets()
    assert read == content
    assert waiting == [hashlib.md5(content).digest()]
    assert ahead == min(in_flight, -(-size // 0x1000))
    assert read_reg(stub, 0) == 0  # and it takes commands again


def test_a_reading_broken_off_by_nonsense_ends(stub: Host) -> None:
    body = struct.pack("<IIII", 0, 0x8000, 0x1000, 1)
    stub.send(struct.pack("<BBHI", 0, Command.READ_FLASH, 16, 0) + body)
    stub.packets()
    stub.send(struct.pack("<BBHI", 0, Command.READ_REG, 4, 0) + bytes(4))
    assert [len(packet) for packet in stub.packets()] == [16]
    assert read_reg(stub, 0) == 0


@pytest.mark.parametrize(("packet_size", "in_flight"), [(0, 1), (0x1001, 1), (0x1000, 0)])
def test_impossible_readings_are_refused(stub: Host, packet_size: int, in_flight: int) -> None:
    assert stub.error(Command.READ_FLASH, 0, 0x1000, packet_size, in_flight) != 0
