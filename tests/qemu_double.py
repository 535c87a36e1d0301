# SPDX-License-Identifier: MIT
"""The QEMU that tests run: QEMU=<program>'s, or the double in tests/doubles/qemu."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from project import ROOT

_DOUBLE = ROOT / "tests/doubles/qemu/qemu.py"


def program(folder: Path) -> Path:
    """The program, put into a folder if it is the double."""
    if "QEMU" in os.environ:
        return Path(os.environ["QEMU"])
    path = folder / "qemu-system-xtensa"
    path.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{_DOUBLE}' \"$@\"\n")
    path.chmod(0o755)
    return path
