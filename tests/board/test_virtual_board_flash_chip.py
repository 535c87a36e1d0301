# SPDX-License-Identifier: MIT
"""The flash chip: NOR semantics, faults and counters."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from viper.image.sectors import SECTOR_SIZE
from viper.virtual_chip.nor_flash import FlashFault, NorFlash, PowerLost
from viper.virtual_chip.shared_page import NO_SECTOR, ChipPage

SIZE = 64 * 1024


@pytest.fixture
def page() -> Iterator[ChipPage]:
    page = ChipPage(bytes.fromhex("020000000001"), 8 << 20)
    yield page
    page.close()


@pytest.fixture
def flash(tmp_path: Path, page: ChipPage) -> Iterator[NorFlash]:
    flash = NorFlash(tmp_path / "flash.bin", SIZE, page)
    yield flash
    flash.close()


def test_is_erased_when_new(flash: NorFlash) -> None:
    assert flash.read(0, SIZE) == b"\xff" * SIZE


def test_programming_only_clears_bits(flash: NorFlash) -> None:
    flash.program(100, b"\x0f\xf0\xaa")
    flash.program(100, b"\x3c\x3c\xff")
    assert flash.read(99, 5) == b"\xff\x0c\x30\xaa\xff"


def test_erasing_sets_whole_sectors_and_nothing_else(flash: NorFlash) -> None:
    flash.program(0, bytes(3 * SECTOR_SIZE))
    flash.erase(SECTOR_SIZE, SECTOR_SIZE)
    expected = bytes(SECTOR_SIZE) + b"\xff" * SECTOR_SIZE + bytes(SECTOR_SIZE)
    assert flash.read(0, 3 * SECTOR_SIZE) == expected
    for offset, size in ((1, SECTOR_SIZE), (0, SECTOR_SIZE - 1)):
        with pytest.raises(FlashFault):
            flash.erase(offset, size)


@settings(max_examples=200, deadline=None)
@given(
    operations=st.lists(
        st.one_of(
            st.tuples(st.just("erase"), st.integers(0, 15), st.integers(0, 3)),
            st.tuples(st.just("program"), st.integers(0, SIZE), st.binary(max_size=300)),
        ),
        max_size=20,
    )
)
def test_behaves_as_a_byte_by_byte_model(
    tmp_path_factory: pytest.TempPathFactory, operations: list[tuple[str, int, object]]
) -> None:
    page = ChipPage(bytes(6), 0)
    flash = NorFlash(tmp_path_factory.mktemp("nor") / "flash.bin", SIZE, page)
    model = bytearray(b"\xff" * SIZE)
    programmed = erased = 0
    for kind, where, what in operations:
        if kind == "erase" and isinstance(what, int) and where + what <= SIZE // SECTOR_SIZE:
            flash.erase(where * SECTOR_SIZE, what * SECTOR_SIZE)
            model[where * SECTOR_SIZE : (where + what) * SECTOR_SIZE] = b"\xff" * what * SECTOR_SIZE
            erased += what
        elif isinstance(what, bytes) and where + len(what) <= SIZE:
            flash.program(where, what)
            for index, byte in enumerate(what):
                model[where + index] &= byte
            programmed += len(what)
    assert flash.read(0, SIZE) == model
    assert (page.bytes_programmed, page.sectors_erased) == (programmed, erased)
    flash.close()
    page.close()


@pytest.mark.parametrize(("offset", "size"), [(SIZE, 1), (SIZE - 1, 2), (-1, 1), (0, SIZE + 1)])
def test_beyond_its_end_is_a_fault(flash: NorFlash, offset: int, size: int) -> None:
    for operation in (flash.read, flash.md5, flash.erase):
        with pytest.raises(FlashFault):
            operation(offset, size)
    with pytest.raises(FlashFault):
        flash.program(offset, bytes(size))


@pytest.mark.parametrize("budget", [0, 1, 99, 100])
def test_power_lasts_for_exactly_the_bytes_it_was_given(
    flash: NorFlash, page: ChipPage, budget: int
) -> None:
    page.power_budget = budget
    if budget < 100:
        with pytest.raises(PowerLost):
            flash.program(50, bytes(100))
    else:
        flash.program(50, bytes(100))
    assert flash.read(0, SIZE) == b"\xff" * 50 + bytes(budget) + b"\xff" * (SIZE - 50 - budget)
    assert page.bytes_programmed == budget
    with pytest.raises(PowerLost):
        flash.erase(0, SECTOR_SIZE)


def test_a_bad_sector_keeps_its_bytes_and_the_ones_before_it_do_not(
    flash: NorFlash, page: ChipPage
) -> None:
    flash.program(0, bytes(3 * SECTOR_SIZE))
    page.bad_sector = 1
    with pytest.raises(FlashFault):
        flash.erase(0, 3 * SECTOR_SIZE)
    assert flash.read(0, 3 * SECTOR_SIZE) == b"\xff" * SECTOR_SIZE + bytes(2 * SECTOR_SIZE)
    with pytest.raises(FlashFault):
        flash.program(SECTOR_SIZE - 2, bytes(4))
    assert flash.read(SECTOR_SIZE - 2, 2) == bytes(2)
    page.bad_sector = NO_SECTOR
    flash.erase(0, 3 * SECTOR_SIZE)


def test_md5_is_of_the_range(flash: NorFlash) -> None:
    flash.program(10, b"viper")
    assert flash.md5(10, 5) == hashlib.md5(b"viper").digest()


def test_state_survives_and_a_file_of_another_size_is_refused(
    tmp_path: Path, page: ChipPage
) -> None:
    first = NorFlash(tmp_path / "f", SIZE, page)
    first.program(0, b"kept")
    first.close()
    second = NorFlash(tmp_path / "f", SIZE, page)
    assert second.read(0, 4) == b"kept"
    second.close()
    with pytest.raises(ValueError, match="65536 bytes"):
        NorFlash(tmp_path / "f", 2 * SIZE, page)
