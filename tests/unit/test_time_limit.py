# SPDX-License-Identifier: MIT
"""No test goes on for ever: not one that waits for a key, nor one of the long matrices."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from project import ROOT

WAITS = "def test_asks(capsys):\n    with capsys.disabled():\n        open('/dev/stdin').read(1)\n"


def test_one_that_waits_for_a_key_ends(tmp_path: Path) -> None:
    (tmp_path / "test_asks.py").write_text(WAITS)
    ours, terminal = pty.openpty()
    try:
        done = subprocess.run(
            [
                sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-s",
                "-o", "timeout=1", "--rootdir", str(tmp_path), "-p", "no:cacheprovider",
                str(tmp_path),
            ],
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(terminal)
    assert done.returncode == 1 and "Timeout" in done.stdout, done.stdout


def test_each_has_a_limit(request: pytest.FixtureRequest) -> None:
    assert 0 < float(request.config.getini("timeout")) <= 600


@pytest.mark.long
def test_the_long_ones_have_theirs(request: pytest.FixtureRequest) -> None:
    marker = request.node.get_closest_marker("timeout")
    assert marker is not None and 0 < marker.args[0] <= 3600
