# SPDX-License-Identifier: MIT
"""What the console tells at a start: firmware/python/start_report.py over a module's double."""

from __future__ import annotations

import runpy
import sys
from types import ModuleType

import pytest
from project import ROOT

Stall = tuple[str, int, int, bool]


def told(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    lack: str | None = None,
    stall: Stall | None = None,
) -> str:
    module = ModuleType("_viperhttp")
    monkeypatch.setattr(module, "memory_lack", lambda: lack, raising=False)
    monkeypatch.setattr(module, "stall", lambda: stall, raising=False)
    monkeypatch.setitem(sys.modules, "_viperhttp", module)
    runpy.run_path(str(ROOT / "firmware/python/start_report.py"))["tell"]()
    return capsys.readouterr().out


def test_a_device_that_is_well_says_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, capsys) == ""
    assert told(monkeypatch, capsys, stall=("send", 81234, 1, True)) == ""  # was told before


def test_a_board_without_its_psram_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, capsys, lack="PSRAM is missing") == "viperhttp: PSRAM is missing\n"


def test_a_reset_for_a_server_that_stood_still_says_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, capsys, stall=("send", 81234, 2, False)) == (
        "viperhttp: reset, for the server stood still at 'send', 81234 ms after its start (2 since"
        " the power came)\n"
    )
