# SPDX-License-Identifier: MIT
"""The last line of a run."""

from __future__ import annotations

from viper.graph.summary import RunSummary


def test_a_build_alone() -> None:
    summary = RunSummary()
    summary.ran()
    summary.skipped(16)
    assert summary.line() == "1 step run, 16 skipped, no device touched"


def test_a_device_that_had_everything() -> None:
    summary = RunSummary(url="http://127.0.0.1:8080/")
    summary.skipped(18)
    summary.wrote(0)
    assert summary.line() == "0 steps run, 18 skipped, 0 B written, http://127.0.0.1:8080/"
