# SPDX-License-Identifier: MIT
"""The partition table means what ESP-IDF says it means, and refuses what ESP-IDF refuses."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from viper.base.errors import UserError
from viper.image import partition_table
from viper.image.partition_table import APP, DATA, PartitionTable

FLASH_SIZE = 16 << 20
SHIPPED = Path(__file__).parents[2] / "boards" / "partitions-16MiBplus.csv"

# SHA-256 of what ESP-IDF v5.5.1's gen_esp32part.py wrote for each CSV, run as
# gen_esp32part.py --offset 0x8000 --primary-bootloader-offset 0 --flash-size 16MB <csv>
RECORDED = [
    pytest.param(
        "nvs, data, nvs, 0x9000, 16K,\n"
        "otadata, data, ota, 0xd000, 8K,\n"
        "phy_init, data, phy, 0xf000, 4K,\n"
        "factory, app, factory, 0x10000, 3M,\n"
        "ota_0, app, ota_0, 0x310000, 3M,\n"
        "vfs, data, fat, 0x610000, -16M,\n",
        "77c7809c50a719b3cf04deed409d323010f1a6d47fada5d074a7153fe94c47dc",
        id="the shipped layout",
    ),
    pytest.param(
        "one, data, nvs,, 20K\n"
        "two, app, factory,, 1M\n"
        "three, data, 0x40,, 36K\n"
        "four, app, ota_0,, 1M\n"
        "five, data, fat,, 1M\n",
        "8f34373f7917c430f36ea1b4e8270278cad93fbdff1583cf5eb0b2b221277493",
        id="blank offsets",
    ),
    pytest.param(
        "a, app, factory,, 64K\n"
        "b, app, ota_0,, 64K\n"
        "c, app, ota_9,, 64K\n"
        "d, app, ota_15,, 64K\n"
        "e, app, test,, 64K\n"
        "f, app, tee_0,, 64K\n"
        "g, app, tee_1,, 64K\n",
        "cb679ce2df2299d2a9b28b1c0a00db211afffb830a3496abacbbe82bb55bf206",
        id="names of types and subtypes",
    ),
    pytest.param(
        "a, 0, 0,, 0x10000\n"
        "b, 0, 0x10,, 65536\n"
        "c, 0x0, 25,, 64k\n"
        "d, 0, 0x1f,, 64K\n"
        "e, 0, 32,, 64K\n"
        "f, 0, 0x30,, 64K\n"
        "g, 0, 0x31,, 64K\n",
        "cb679ce2df2299d2a9b28b1c0a00db211afffb830a3496abacbbe82bb55bf206",
        id="numbers for types and subtypes",
    ),
    pytest.param(
        "a, data, ota,, 0x2000\n"
        "b, data, phy,, 4K\n"
        "c, data, nvs,, 12K\n"
        "d, data, coredump,, 64K\n"
        "e, data, nvs_keys,, 4K, encrypted\n"
        "f, data, efuse,, 4K\n"
        "g, data, undefined,, 4K\n"
        "h, data, esphttpd,, 4K\n"
        "i, data, fat,, 4K\n"
        "j, data, spiffs,, 4K\n"
        "k, data, littlefs,, 4K\n"
        "l, data, tee_ota,, 0x2000\n",
        "ae4118f610e748eb3186fe9fc387d5011f72ea413b63e46ed012cff3666e7e51",
        id="every data subtype",
    ),
    pytest.param(
        "app, app, factory, 64K, -3M\nfiles, data, fat, , -0x400000\nrest, data, littlefs, , 8M\n",
        "aaf91fea33517b8edff2299fc0f81e6e1d8ed7a9b62ddf96dd9870fd542c700f",
        id="negative sizes",
    ),
    pytest.param(
        "first, 0x40, 0xEE, 0x101000, 0x300000\n"
        "Second, 0b1000001, 0o20, , 1_048_576\n"
        "third, DATA, FAT, , 4k\n",
        "cb6de9794b376962a170f52656e842af13dc22b001a1a4392b76fae055cf69a3",
        id="custom types, in any case and notation",
    ),
    pytest.param(
        "app, app, factory,, 1M, encrypted\n"
        "keys, data, nvs_keys,, 4K, encrypted:readonly\n"
        "ro, data, nvs,, 4K, readonly\n",
        "0ca2b61031effaca218a6f77475645fe3a7921d7bc2ea2ddf4c9c60780cd32fe",
        id="flags",
    ),
    pytest.param(
        "\n"
        "# Name, Type, $HOME\n"
        "   # indented\n"
        " factory , app , factory , 64k , 1M , , anything\n"
        "\n",
        "a482eb8745d8b140f15662bcfd64abf5c9c666b00d586d985a28b1a960c5c1fc",
        id="comments, blanks, a seventh column",
    ),
    pytest.param(
        "größe_und_maß,data,phy,,4K\nfactory,app,factory,,1M\n",
        "3cf783ce7e7ed51636b344d9a9a8120612bdc554bbba631f08af8a2f17130328",
        id="a name of 16 bytes beyond ASCII",
    ),
    pytest.param(
        "boot, bootloader, primary, N/A, N/A\n"
        "table, partition_table, primary,, N/A\n"
        "main, app, factory, , 1M\n"
        "boot2, bootloader, ota, , N/A\n"
        "table2, partition_table, ota, ,\n",
        "07998b7472e55258bde57200d36c77b38f67387b1d4fa522193e0284b91e5cb7",
        id="bootloader and table in the table",
    ),
    pytest.param(
        "storage, data, , , 512k\nempty, data, fat, , 0\n",
        "29687eea1c438dc5acc869a269db7bbc2d54f040e0f0cf55ca45eb75af10f22f",
        id="empty subtype and size 0",
    ),
    pytest.param(
        "",
        "ac379736a5babef77ab7c144553aa8146eb86fbdfb3a85044d0b91d27eb4b5d8",
        id="nothing",
    ),
    pytest.param(
        "".join(f"p{i}, 0x40, {i},, 4K\n" for i in range(94)),
        "c1a08503c9eb375cf251b03bc89265010c893f9bd4a3626ff303c60b089be83e",
        id="as many as fit",
    ),
]


def parse(csv: str) -> PartitionTable:
    return partition_table.from_csv(csv, FLASH_SIZE, "esp32s3")


@pytest.mark.parametrize(("csv", "digest"), RECORDED)
def test_the_binary_is_the_one_that_esp_idf_makes(csv: str, digest: str) -> None:
    assert hashlib.sha256(parse(csv).to_binary()).hexdigest() == digest


def test_the_bytes_of_a_small_table() -> None:
    # Recorded from gen_esp32part.py as above.
    binary = parse("nvs, data, nvs, 0x9000, 16K,\nfactory, app, factory, 64K, 3M,\n").to_binary()
    assert binary[:96].hex() == (
        "aa50010200900000004000006e76730000000000000000000000000000000000"
        "aa5000000000010000003000666163746f727900000000000000000000000000"
        "ebebffffffffffffffffffffffffffff19ff051ffcb951634e08fd31037fb446"
    )
    assert binary[96:] == b"\xff" * (0xC00 - 96)


def test_the_shipped_layout_fills_the_flash() -> None:
    table = partition_table.load(SHIPPED, FLASH_SIZE, "esp32s3")
    assert [(entry.name, entry.offset, entry.size) for entry in table] == [
        ("nvs", 0x9000, 0x4000),
        ("otadata", 0xD000, 0x2000),
        ("phy_init", 0xF000, 0x1000),
        ("factory", 0x10000, 0x300000),
        ("ota_0", 0x310000, 0x300000),
        ("vfs", 0x610000, 0x9F0000),
    ]
    assert table["vfs"].end == FLASH_SIZE


def test_partitions_are_found_by_name_and_kind() -> None:
    table = parse("f, app, factory,, 1M\nb, app, ota_1,, 1M\na, app, ota_0,, 1M\n")
    factory = table.find(APP, partition_table.FACTORY)
    assert factory is not None
    assert factory.name == "f"
    assert table.find(DATA, partition_table.OTADATA) is None
    with pytest.raises(UserError, match=r"no partition 'vfs' \(it has: f, b, a\)"):
        table["vfs"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_csv_may_be_in_any_unicode(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("größe, data, fat,, 1M\r\n".encode(encoding))
    assert partition_table.load(path, FLASH_SIZE, "esp32s3").entries[0].name == "größe"


def test_a_csv_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("größe, data, fat,, 1M\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"table\.csv: not a text in UTF-8"):
        partition_table.load(path, FLASH_SIZE, "esp32s3")


@pytest.mark.parametrize(
    ("csv", "message"),
    [
        ("a,\n", "line 1: the type is empty"),
        ("a, ap, factory,, 1M\n", "line 1: unknown type 'ap'"),
        ("a, 256, 0,, 4K\n", "line 1: the type 256 does not fit a byte"),
        ("a, app,,, 1M\n", "line 1: an app partition must have a subtype"),
        ("a, data, flat,, 4K\n", "line 1: unknown subtype 'flat'"),
        ("a, data, -1,, 4K\n", "line 1: the subtype -1 does not fit a byte"),
        ("a, data, fat, x, 4K\n", "line 1: the offset 'x' is not a number"),
        ("a, data, fat,, 4G\n", "line 1: the size '4G' is not a number"),
        ("a, data, fat,,\n", "line 1: the size of 'a' is empty"),
        ("a, data, fat,, $SIZE\n", "line 1: the variable $SIZE is not expanded"),
        ("a, data, fat,, 4K, hidden\n", "line 1: unknown flag 'hidden'"),
        ("a, bootloader, recovery,,\n", "line 1: a recovery bootloader needs an address"),
        ("17_bytes_of_a_nam, data, fat,, 4K\n", "is longer than 16 bytes"),
        # alignment and size
        ("\na, app, factory, 0x18000, 1M\n", "line 2: 'a' at 0x18000 is not aligned to 0x10000"),
        ("a, data, fat, 0x9420, 4K\n", "line 1: 'a' at 0x9420 is not aligned to 0x1000"),
        ("a, app, factory,, 0x100800\n", "line 1: the size 0x100800 of 'a' is not a multiple"),
        ("a, data, nvs,, 8K\n", "line 1: 'a' of 0x2000 bytes is too small for a writable NVS"),
        ("a, data, ota,, 0x3000\n", "line 1: the size of 'a' is 0x3000"),
        ("a, data, tee_ota,, 0x3000\n", "line 1: the size of 'a' is 0x3000"),
        # places
        ("# c\na, data, fat, 0x8000, 4K\n", "line 2: 'a' at 0x8000 overlaps the partition table"),
        ("a, data, fat, -0x1000, 4K\n", "line 1: 'a' at -0x1000 overlaps the partition table"),
        (
            "a, data, fat, 0x10000, 2M\nb, data, fat, 0x20000, 4K\n",
            "line 2: 'b' at 0x20000 overlaps 'a', which ends at 0x210000",
        ),
        (
            "a, app, factory, 64K, 1M\nb, bootloader, primary,,\nc, data, fat, 0x9000, 4K\n",
            "line 3: 'c' at 0x9000 overlaps 'a', which ends at 0x110000",
        ),
        (
            "t, partition_table, primary,,\nu, partition_table, primary,,\n",
            "line 2: 'u' at 0x8000 overlaps 't' of line 1, which ends at 0x9000",
        ),
        ("a, data, fat, 0x20000, -64K\n", "line 1: 'a' at 0x20000 begins after the end"),
        ("a, data, fat, 0x100000000, 4K\n", "line 1: 'a' does not fit a 32-bit address space"),
        ("a, data, fat, 15M, 2M\n", "line 1: 'a' ends at 0x1100000, beyond the flash of 0x1000000"),
        # together
        ("a, data, fat,, 4K\na, data, fat,, 4K\n", "line 2: the name 'a' is taken by line 1"),
        ("a, data, ota,, 8K\nb, data, ota,, 8K\n", "line 2: 'b' is a second otadata, after line 1"),
        ("a, data, ota,, 8K, readonly\n", "line 1: 'a' is always written to"),
        ("a, data, coredump,, 8K, readonly\n", "line 1: 'a' is always written to"),
        (
            "".join(f"p{i}, 0x40, {i},, 4K\n" for i in range(95)),
            "line 95: a table holds 94 partitions at most",
        ),
    ],
)
def test_what_esp_idf_refuses_is_refused_with_its_line(csv: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(csv)
    assert message in caught.value.what
    assert caught.value.what.startswith("partitions.csv line ")


def test_a_message_says_what_mends_it() -> None:
    with pytest.raises(UserError) as caught:
        parse("a, data, fat, 0x9000, 4K\nb, app, factory, 0x9000, 1M\n")
    assert caught.value.next_step == "use 0x10000 or higher, or leave the offset blank"


def test_a_table_is_read_back_with_its_flags() -> None:
    table = parse("keys, data, nvs_keys,, 4K, encrypted\nro, data, nvs,, 4K, readonly\n")
    read = partition_table.from_binary(table.to_binary(), FLASH_SIZE)
    assert [(entry.name, entry.encrypted, entry.readonly) for entry in read] == [
        ("keys", True, False),
        ("ro", False, True),
    ]
    assert read.to_binary() == table.to_binary()


TWO_ENTRIES = parse("nvs, data, nvs,, 16K\nfactory, app, factory,, 1M\n").to_binary()
# After the magic of the MD5 entry come 14 bytes that the bootloader does not look at either.
CHECKED_BITS = [bit for bit in range(8 * 96) if bit // 8 not in range(66, 80)]


@pytest.mark.parametrize("bit", CHECKED_BITS[::5])
def test_a_flipped_bit_in_flash_is_noticed(bit: int) -> None:
    binary = bytearray(TWO_ENTRIES)
    binary[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ValueError, match="partition"):
        partition_table.from_binary(bytes(binary), FLASH_SIZE)


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_garbage_in_flash_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="partition"):
        partition_table.from_binary(data, FLASH_SIZE)


def entry(type: int, subtype: int, offset: int, size: int, name: str = "x") -> bytes:
    """A record of the table."""
    return struct.pack("<2sBBLL16sL", b"\xaa\x50", type, subtype, offset, size, name.encode(), 0)


END = b"\xff" * 32
MD5 = TWO_ENTRIES[64:96]


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (TWO_ENTRIES[:64] + END, ["nvs", "factory"]),
        (TWO_ENTRIES[:64] + b"\xff" * 4 + bytes(28), ["nvs", "factory"]),
        (TWO_ENTRIES[:96] + entry(1, 2, 0x200000, 0x1000) + END, ["nvs", "factory"]),
        (entry(1, 2, FLASH_SIZE, 0) + END, ["x"]),
        (entry(1, 2, FLASH_SIZE - 0x1000, 0x1000) + END, ["x"]),
        (entry(1, 2, 0x10000, 0xFFFFF000) + END, ["x"]),
        (entry(1, 2, 0x9000, 0x1000) * 95 + END, ["x"] * 95),
    ],
    ids=[
        "no MD5",
        "an end mark of four bytes",
        "an entry after the MD5",
        "nothing, at the end",
        "up to the end",
        "a size that wraps",
        "as many as fit without an MD5",
    ],
)
def test_what_the_bootloader_takes_is_taken(table: bytes, names: list[str]) -> None:
    found = partition_table.from_binary(table, FLASH_SIZE)
    assert [entry.name for entry in found] == names


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (b"\xff" * 0xC00, "partition 0 has the wrong magic ffff"),
        (b"\xff" * 32 + TWO_ENTRIES, "partition 0 has the wrong magic ffff"),
        (TWO_ENTRIES[:64], "has no end mark"),
        (TWO_ENTRIES[:96], "has no end mark"),
        (TWO_ENTRIES[:96] + MD5 + END, "more than one MD5 entry"),
        (TWO_ENTRIES[:32] + MD5 + END, "MD5 does not match"),
        (bytes(32) + TWO_ENTRIES, "partition 0 has the wrong magic 0000"),
        (TWO_ENTRIES[:64] + b"\xff\xff\xff\x00" + END, "partition 2 has the wrong magic ffff"),
        (entry(1, 2, FLASH_SIZE - 0x1000, 0x2000) + END, "partition 0 .* is beyond the flash"),
        (entry(1, 2, FLASH_SIZE + 0x1000, 0) + END, "partition 0 .* is beyond the flash"),
        (TWO_ENTRIES[:96] + entry(1, 2, FLASH_SIZE, 1) + END, "partition 3 .* is beyond the flash"),
        (entry(1, 2, 0x9000, 0x1000) * 96, "has no end mark"),
    ],
)
def test_what_the_bootloader_refuses_is_refused(table: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        partition_table.from_binary(table, FLASH_SIZE)


def test_a_chip_without_a_table_has_no_partitions() -> None:
    blank = partition_table.on_chip(lambda offset, size: b"\xff" * size, FLASH_SIZE)
    assert list(blank) == []


def test_what_wraps_around_32_bits_is_no_partition_to_read() -> None:
    table = (entry(1, 2, 0x10000, 0xFFFFF000) + END).ljust(0xC00, b"\xff")
    with pytest.raises(ValueError, match="beyond the flash"):
        partition_table.on_chip(lambda offset, size: table, FLASH_SIZE)
    assert not partition_table.booted_by(lambda offset, size: table, FLASH_SIZE).entries


# Recorded from gen_esp32part.py of ESP-IDF v5.5.1 with --primary-bootloader-offset 0x1000.
def test_the_bootloader_is_where_its_chip_has_it() -> None:
    csv = "boot, bootloader, primary, N/A, N/A\nboot2, bootloader, ota, , N/A\n"
    places = {
        chip: [(e.offset, e.size) for e in partition_table.from_csv(csv, FLASH_SIZE, chip)]
        for chip in ("esp32", "esp32s3")
    }
    assert places == {
        "esp32": [(0x1000, 0x7000), (0x9000, 0x7000)],
        "esp32s3": [(0x0, 0x8000), (0x9000, 0x8000)],
    }
