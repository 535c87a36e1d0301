# SPDX-License-Identifier: MIT
"""All of this folder once more, with the few connections and the small rings of the ESP32-S3."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from project import ROOT


@pytest.mark.long
def test_this_folder_with_the_limits_of_a_chip(tmp_path: Path) -> None:
    outer = {name for name in os.environ if name.startswith(("PYTEST_", "HTTP_HOST"))}
    environment = {name: text for name, text in os.environ.items() if name not in outer}
    command = [sys.executable, "-m", "pytest", "-n2", "-m", "not long", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, f"--basetemp={tmp_path / 'pytest'}", str(Path(__file__).parent)],
        cwd=ROOT,
        env={**environment, "LIMITS_OF": "ESP32S3_N16R8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
