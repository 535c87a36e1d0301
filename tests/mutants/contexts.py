# SPDX-License-Identifier: MIT
"""A plugin of pytest: what coverage.py sees is told apart by test, and each test's end is noted.

Processes that a test starts know it by PYTEST_CURRENT_TEST, which pytest sets; this is for what
runs in pytest's own.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import coverage
import pytest

ENDS = "MUTANTS_ENDS"  # names a folder for lines of [test, seconds, whether it has passed]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What is seen from here on is this test's."""
    measured = coverage.Coverage.current()
    if measured is not None:
        measured.switch_context(item.nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note how long a part of a test took, in the file of this process."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        with (Path(os.environ[ENDS]) / "ends").open("a", encoding="utf-8") as ends:
            ends.write(json.dumps([report.nodeid, report.duration, not report.failed]) + "\n")
