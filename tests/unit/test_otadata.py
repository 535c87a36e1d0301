# SPDX-License-Identifier: MIT
"""otadata selects the slot that ESP-IDF's bootloader would."""

from __future__ import annotations

import pytest
from otadata_records import UNDEFINED, VALID, record, selecting
from viper.image import otadata
from viper.image.otadata import FACTORY, State


def sectors(first: bytes, second: bytes) -> bytes:
    return first.ljust(4096, b"\xff") + second.ljust(4096, b"\xff")


ERASED = b""


def first(data: bytes, slots: int, has_factory: bool = True) -> int:
    return otadata.first_tried(data, slots, has_factory=has_factory)


def test_the_record_that_esp_idf_writes_for_its_first_update_boots_slot_0() -> None:
    # seq and crc as otatool.py of ESP-IDF v5.5.1 computes them for slot 0 on erased otadata.
    written = bytes.fromhex("01000000" + "ff" * 20 + "ffffffff" + "9a984347")
    assert first(sectors(written, ERASED), 2) == 0


def test_blank_boots_factory() -> None:
    assert otadata.blank() == b"\xff" * 8192
    assert first(otadata.blank(), 2) == FACTORY


@pytest.mark.parametrize("slot", [0, 1, 2])
def test_a_selected_slot_boots(slot: int) -> None:
    assert first(selecting(slot), 3) == slot


def test_the_greater_sequence_wins_and_wraps_around_the_slots() -> None:
    data = sectors(record(6), record(5))
    assert first(data, 4) == 1
    assert first(sectors(record(5), record(6)), 4) == 1


def test_a_record_with_a_wrong_crc_does_not_count() -> None:
    broken = bytearray(record(9))
    broken[-1] ^= 1
    assert first(sectors(bytes(broken), record(2)), 2) == 1
    assert first(sectors(bytes(broken), ERASED), 2) == FACTORY


@pytest.mark.parametrize("state", [State.INVALID, State.ABORTED])
def test_an_application_that_was_given_up_does_not_boot(state: State) -> None:
    assert first(selecting(0, state), 1) == FACTORY


def test_without_slots_factory_boots() -> None:
    assert first(selecting(0), 0) == FACTORY


def test_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="4096 bytes, not 8192"):
        first(b"\xff" * 4096, 1)


def test_a_new_application_is_on_probation_after_its_first_boot_and_aborted_at_the_second() -> None:
    once = otadata.after_boot(sectors(record(1, VALID), record(2, State.NEW)), 2)
    assert once == sectors(record(1, VALID), record(2, State.PENDING_VERIFY))
    assert first(once, 2) == 1

    second = otadata.after_boot(once, 2)
    assert second == sectors(record(1, VALID), record(2, State.ABORTED))
    assert first(second, 2) == 0


@pytest.mark.parametrize("state", [VALID, UNDEFINED, State.INVALID])
def test_a_boot_leaves_settled_records_as_they_are(state: int) -> None:
    data = selecting(1, state)
    assert otadata.after_boot(data, 2) == data
    assert otadata.after_boot(otadata.blank(), 2) == otadata.blank()


def test_a_new_application_stays_new_where_no_slot_could_hold_it() -> None:
    assert otadata.after_boot(selecting(0, State.NEW), 0) == selecting(0, State.NEW)


def test_the_first_slot_boots_where_there_is_no_factory() -> None:
    assert first(otadata.blank(), 2, has_factory=False) == 0
    assert first(selecting(1, State.ABORTED), 2, has_factory=False) == 0


def test_nothing_but_a_wrong_crc_has_all_tried_from_factory_on() -> None:
    broken = record(2)[:-1] + b"\0"
    assert first(sectors(broken, ERASED), 2, has_factory=False) == FACTORY


@pytest.mark.parametrize(("slots", "slot"), [(1, 0), (2, 1), (3, 0), (5, 0), (7, 3)])
def test_sequence_0_wraps_around_32_bits(slots: int, slot: int) -> None:
    assert first(sectors(record(0), ERASED), slots) == slot == 0xFFFFFFFF % slots


def test_the_slot_that_boots_is_noted_where_nothing_was_written() -> None:
    noted = otadata.noted(otadata.blank(), 2, 1, has_factory=False)
    assert noted == sectors(record(2, VALID), ERASED)
    assert first(noted, 2, has_factory=False) == 1


@pytest.mark.parametrize(
    ("data", "booted", "has_factory"),
    [
        (otadata.blank(), 0, True),
        (otadata.blank(), FACTORY, False),
        (selecting(0), 0, False),
        (selecting(0, State.ABORTED), 1, False),
    ],
    ids=["factory", "not a slot", "one is selected", "one was given up"],
)
def test_nothing_else_is_noted(data: bytes, booted: int, has_factory: bool) -> None:
    assert otadata.noted(data, 2, booted, has_factory=has_factory) == data
