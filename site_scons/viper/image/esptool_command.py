# SPDX-License-Identifier: MIT
"""What stock esptool is told to write an image, for those who do not flash from here."""

from __future__ import annotations

import json
import shlex
from pathlib import Path


def esptool_command(index: Path, port: str, baud: int) -> str:
    """The command with stock esptool that writes every part of a flash.json, whatever is there."""
    flash = json.loads(index.read_text(encoding="utf-8"))
    words = ["esptool", "--chip", flash["chip"], "--port", port, "--baud", str(baud), "write-flash"]
    for part in flash["parts"]:
        words += [f"{part['offset']:#x}", str(index.parent / part["file"])]
    return shlex.join(words)
