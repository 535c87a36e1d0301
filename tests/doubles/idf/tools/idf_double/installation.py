# SPDX-License-Identifier: MIT
"""Where the double keeps its tools, and the record of what was started."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

IDF = Path(__file__).resolve().parents[2]
VERSION = "5.5"  # as ESP-IDF names its Python environments
XTENSA_CHIPS = ("esp32", "esp32s2", "esp32s3")


def tools() -> Path:
    return Path(os.environ.get("IDF_TOOLS_PATH") or Path("~/.espressif").expanduser())


def python_environment() -> Path:
    return tools() / f"python_env/idf{VERSION}_py{sys.version_info[0]}.{sys.version_info[1]}_env"


def interpreter() -> str:
    """A Python that has kconfgen and esptool, as ESP-IDF's own has."""
    named = IDF / "interpreter"
    return named.read_text().strip() if named.is_file() else sys.executable


def toolchain() -> Path:
    return tools() / "tools/xtensa-esp-elf/esp-14.2.0_20241119/xtensa-esp-elf/bin"


def ninja() -> Path:
    return tools() / "tools/ninja/1.12.1"


def targets() -> list[str]:
    """The chips that the installer was asked for."""
    record = tools() / "idf-env.json"
    return json.loads(record.read_text())["targets"] if record.is_file() else []


def has(marker: str) -> bool:
    """Whether a file beside export.sh asks for a behaviour."""
    return (IDF / marker).exists()


def record_call(tool: str) -> None:
    entry = {
        "tool": tool,
        "arguments": sys.argv[1:],
        "folder": str(Path.cwd()),
        "environment": dict(os.environ),
    }
    with (IDF / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps(entry) + "\n")
