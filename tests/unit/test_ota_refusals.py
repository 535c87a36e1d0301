# SPDX-License-Identifier: MIT
"""What an update over the network is refused for before the device is asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.image import partition_table
from viper.source import board
from viper.update import ota

BOARDS = Path(__file__).parents[2] / "boards"
FLASH = "./scons flash PORT=..."


def require_slot(csv: str) -> None:
    ota.require_slot(partition_table.from_csv(csv, 16 << 20, "esp32s3"), "SOME", FLASH)


@pytest.mark.parametrize("name", board.names(BOARDS))
def test_a_board_of_the_project_can_be_updated_if_it_has_two_slots(name: str) -> None:
    its = board.load(BOARDS, name)
    table = partition_table.load(its.partitions, its.flash_size, its.chip)
    if "ota_0" in table:
        ota.require_slot(table, name, FLASH)
        return
    with pytest.raises(UserError, match=f"{name} has one slot") as refused:
        ota.require_slot(table, name, FLASH)
    assert refused.value.next_step == (f"{FLASH}, or add otadata and ota_0 to {its.partitions}")


@pytest.mark.parametrize(
    "apps", ["", "f, app, factory,, 64K\n", "a, app, ota_0,, 64K\n", "t, app, test,, 64K\n"]
)
def test_one_application_has_nowhere_to_be_updated_to(apps: str) -> None:
    with pytest.raises(UserError, match="there is none to update"):
        require_slot(f"o, data, ota,, 8K\n{apps}")


@pytest.mark.parametrize("second", ["factory", "ota_1", "ota_5"])
def test_a_second_application_receives(second: str) -> None:
    require_slot(f"o, data, ota,, 8K\na, app, ota_0,, 64K\nb, app, {second},, 64K\n")


@pytest.mark.parametrize(
    ("ours", "theirs", "message"),
    [
        ("qemu_0123456789a", "0123456789abcdef", "is no such emulator, and this image is for one"),
        ("0123456789abcdef", "qemu_0123456789a", "without the overlay 'qemu': it has no network"),
    ],
)
def test_an_image_for_an_emulator_goes_to_one_and_no_other_does(
    ours: str, theirs: str, message: str
) -> None:
    ota.refuse_other_overlay("192.168.0.7", theirs, theirs)
    with pytest.raises(UserError, match=message) as refused:
        ota.refuse_other_overlay("192.168.0.7", ours, theirs)
    assert refused.value.next_step.startswith("./scons ota ")
