# SPDX-License-Identifier: MIT
"""What the smoke test finds wrong in what a device tells."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from viper.device import smoke
from viper.source import board

BOARD = board.load(Path(__file__).parents[2] / "boards", "ESP32S3_N16R8")
WELL = smoke.Figures(
    mac="02a274c09e1b",
    build="5019536d4780a192",
    memory={"heap_free": 1 << 30, "internal_free": 1 << 30, "psram_free": 1 << 30},
    ring_in_psram=True,
)


def test_a_device_that_is_well() -> None:
    assert smoke.problems(WELL, BOARD, WELL.build) == []


def test_another_build() -> None:
    (problem,) = smoke.problems(WELL, BOARD, "ac6ebd3ee50784fe")
    assert problem == "it runs build 5019536d4780a192, and ac6ebd3ee50784fe was built"


@pytest.mark.parametrize("heap", ["heap_free", "internal_free", "psram_free"])
def test_a_heap_that_is_nearly_used_up(heap: str) -> None:
    figures = dataclasses.replace(WELL, memory={**WELL.memory, heap: 100})
    (problem,) = smoke.problems(figures, BOARD, WELL.build)
    assert problem.startswith(f"{heap} is 100 bytes, and ESP32S3_N16R8 needs ")


@pytest.mark.parametrize(
    ("name", "limit"),
    [("internal_largest", 16384), ("ipc0_stack_free", 256), ("viperhttp_stack_free", 256)],
)
def test_memory_in_pieces_and_stacks_that_are_nearly_used_up(name: str, limit: int) -> None:
    figures = dataclasses.replace(WELL, memory={**WELL.memory, name: limit - 1})
    assert smoke.problems(figures, BOARD, WELL.build) == [
        f"{name} is {limit - 1} bytes, and ESP32S3_N16R8 needs {limit}"
    ]
    figures = dataclasses.replace(WELL, memory={**WELL.memory, name: limit})
    assert smoke.problems(figures, BOARD, WELL.build) == []


def test_a_device_that_was_reset_for_its_server() -> None:
    figures = dataclasses.replace(WELL, memory={**WELL.memory, "stalls": 1})
    (problem,) = smoke.problems(figures, BOARD, WELL.build)
    assert problem.startswith("its server stood still")


@pytest.mark.parametrize("reason", ["panic", "watchdog", "brownout"])
def test_a_device_that_has_crashed(reason: str) -> None:
    figures = dataclasses.replace(WELL, reset_reason=reason)
    (problem,) = smoke.problems(figures, BOARD, WELL.build)
    assert problem.startswith(f"it started last after a {reason}")
    assert (
        smoke.problems(dataclasses.replace(WELL, reset_reason="software"), BOARD, WELL.build) == []
    )


def test_a_heap_that_the_device_does_not_tell_is_not_asked() -> None:
    figures = dataclasses.replace(WELL, memory={"heap_free": 1 << 30})
    assert smoke.problems(figures, BOARD, WELL.build) == []


def test_rings_belong_into_psram_where_there_is_some() -> None:
    figures = dataclasses.replace(WELL, ring_in_psram=False)
    (problem,) = smoke.problems(figures, BOARD, WELL.build)
    assert "not in PSRAM" in problem
    small = dataclasses.replace(BOARD, psram_size=0)
    assert smoke.problems(figures, small, WELL.build) == []
