# SPDX-License-Identifier: MIT
"""Applications are tried as ESP-IDF's bootloader tries them, in odd tables too."""

from __future__ import annotations

import pytest
from otadata_records import selecting
from viper.image import otadata, partition_table
from viper.image.boot_order import BootOrder

FLASH_SIZE = 16 << 20
OTADATA = "otadata, data, ota,, 8K\n"


def order(*apps: str, otadata: str = OTADATA) -> BootOrder:
    """The order of a table that has these application partitions, by their subtypes."""
    lines = (f"{name}-{index}, app, {name},, 64K\n" for index, name in enumerate(apps))
    table = partition_table.from_csv(otadata + "".join(lines), FLASH_SIZE, "esp32s3")
    return BootOrder(table)


def tried(apps: BootOrder, written: bytes | None) -> list[str]:
    return [entry.name for _, entry in apps.tried(written)]


BLANK = otadata.blank()
ALL = ("factory", "ota_0", "ota_1", "test")


@pytest.mark.parametrize(
    ("apps", "written", "expected"),
    [
        (ALL, BLANK, ["factory-0", "ota_0-1", "ota_1-2", "test-3"]),
        (ALL, selecting(1), ["ota_1-2", "ota_0-1", "factory-0", "test-3"]),
        (ALL, selecting(0), ["ota_0-1", "factory-0", "ota_1-2", "test-3"]),
        (("ota_0", "ota_1"), BLANK, ["ota_0-0", "ota_1-1"]),
        (("ota_0", "ota_1"), selecting(1, otadata.State.ABORTED), ["ota_0-0", "ota_1-1"]),
        (("test",), BLANK, ["test-0"]),
        # slots are counted, and those from that number on are not there
        (("factory", "ota_0", "ota_2"), selecting(1), ["ota_0-1", "factory-0"]),
        (("factory", "ota_3", "ota_7"), selecting(0), ["factory-0"]),
        (("ota_1", "ota_2"), BLANK, ["ota_1-0"]),
        # of two of a kind the later counts, and both are counted
        (("factory", "factory"), BLANK, ["factory-1"]),
        (("ota_0", "ota_0"), selecting(1), ["ota_0-1"]),
    ],
)
def test_the_order_is_the_bootloaders(
    apps: tuple[str, ...], written: bytes, expected: list[str]
) -> None:
    assert tried(order(*apps), written) == expected


def test_without_otadata_factory_comes_first_and_slots_after_it() -> None:
    apps = order(*ALL, otadata="")
    assert apps.otadata is None
    assert tried(apps, None) == ["factory-0", "ota_0-1", "ota_1-2", "test-3"]
    assert tried(order("ota_0", "ota_1", otadata=""), None) == ["ota_0-0", "ota_1-1"]


def test_an_empty_partition_is_passed_over() -> None:
    csv = "f, app, factory,, 0\no, app, ota_0,, 64K\n"
    table = partition_table.from_csv(csv, FLASH_SIZE, "esp32s3")
    assert tried(BootOrder(table), None) == ["o"]
