"""otadata selects the slot that ESP-IDF's bootloader would."""

from __future__ import annotations

import pytest
from otadata_records import UNDEFINED, VALID, record, selecting
from viper.image import otadata
from viper.image.otadata import State


def sectors(first: bytes, second: bytes) -> bytes:
    return first.ljust(4096, b"\xff") + second.ljust(4096, b"\xff")


ERASED = b""


def test_the_record_that_esp_idf_writes_for_its_first_update_boots_slot_0() -> None:
    # seq and crc as otatool.py of ESP-IDF v5.5.1 computes them for slot 0 on erased otadata.
    written = bytes.fromhex("01000000" + "ff" * 20 + "ffffffff" + "9a984347")
    assert otadata.selected_slot(sectors(written, ERASED), 2) == 0


def test_blank_boots_factory() -> None:
    assert otadata.blank() == b"\xff" * 8192
    assert otadata.selected_slot(otadata.blank(), 2) is None


@pytest.mark.parametrize("slot", [0, 1, 2])
def test_a_selected_slot_boots(slot: int) -> None:
    assert otadata.selected_slot(selecting(slot), 3) == slot


def test_the_greater_sequence_wins_and_wraps_around_the_slots() -> None:
    data = sectors(record(6), record(5))
    assert otadata.selected_slot(data, 4) == 1
    assert otadata.selected_slot(sectors(record(5), record(6)), 4) == 1


def test_a_record_with_a_wrong_crc_does_not_count() -> None:
    broken = bytearray(record(9))
    broken[-1] ^= 1
    assert otadata.selected_slot(sectors(bytes(broken), record(2)), 2) == 1
    assert otadata.selected_slot(sectors(bytes(broken), ERASED), 2) is None


@pytest.mark.parametrize("state", [State.INVALID, State.ABORTED])
def test_an_application_that_was_given_up_does_not_boot(state: State) -> None:
    assert otadata.selected_slot(selecting(0, state), 1) is None


def test_without_slots_factory_boots() -> None:
    assert otadata.selected_slot(selecting(0), 0) is None


def test_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="4096 bytes, not 8192"):
        otadata.selected_slot(b"\xff" * 4096, 1)


def test_a_new_application_is_on_probation_after_its_first_boot_and_aborted_at_the_second() -> None:
    first = otadata.after_boot(sectors(record(1, VALID), record(2, State.NEW)))
    assert first == sectors(record(1, VALID), record(2, State.PENDING_VERIFY))
    assert otadata.selected_slot(first, 2) == 1

    second = otadata.after_boot(first)
    assert second == sectors(record(1, VALID), record(2, State.ABORTED))
    assert otadata.selected_slot(second, 2) == 0


@pytest.mark.parametrize("state", [VALID, UNDEFINED, State.INVALID])
def test_a_boot_leaves_settled_records_as_they_are(state: int) -> None:
    data = selecting(1, state)
    assert otadata.after_boot(data) == data
    assert otadata.after_boot(otadata.blank()) == otadata.blank()
