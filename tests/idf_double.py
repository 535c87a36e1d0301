# SPDX-License-Identifier: MIT
"""ESP-IDF's double, set up for a test, and a project that builds a real board with it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from project import ROOT, Project, Run

_DOUBLE = ROOT / "tests/doubles/idf"


class IdfDouble:
    """An installed ESP-IDF in a folder of its own.

    Attributes:
        folder: ESP-IDF's.
        tools: that of its tools, IDF_TOOLS_PATH.
    """

    def __init__(self, folder: Path, chips: str = "esp32,esp32s3") -> None:
        self.folder = folder / "esp-idf"
        self.tools = folder / "espressif"
        shutil.copytree(
            _DOUBLE, self.folder, ignore=shutil.ignore_patterns("__pycache__", "port", "README.md")
        )
        # The tools' Python needs kconfgen and esptool, as ESP-IDF's own has them.
        (self.folder / "interpreter").write_text(sys.executable)
        self.install(chips)

    def install(self, chips: str) -> None:
        """Run its installer for some chips, as a person does."""
        subprocess.run(
            [self.folder / "install.sh", chips],
            env={**os.environ, "IDF_TOOLS_PATH": str(self.tools)},
            check=True,
            capture_output=True,
        )

    def calls(self, tool: str | None = None) -> list[dict[str, Any]]:
        """What was started, in order: "tool", "arguments", "folder", "environment"."""
        record = self.folder / "calls.jsonl"
        lines = record.read_text().splitlines() if record.exists() else []
        calls = [json.loads(line) for line in lines]
        return [call for call in calls if tool in (None, call["tool"])]

    def forget_calls(self) -> None:
        (self.folder / "calls.jsonl").unlink(missing_ok=True)

    def behave(self, marker: str) -> None:
        """Have it behave otherwise; its README lists the markers."""
        (self.folder / marker).touch()


def micropython_tree(standing: Path, folder: Path) -> Path:
    """What the double needs of a MicroPython tree.

    The esp32 port is the tree's own, if it has one; Debian's package has none, and then the
    double's `port` stands for it.

    Args:
        standing: a MicroPython source tree of any kind.
    """
    (folder / "py").mkdir(parents=True)
    for name in ("py/mpconfig.h", "py/usermod.cmake"):
        shutil.copy2(standing / name, folder / name)
    shutil.copytree(standing / "extmod/asyncio", folder / "extmod/asyncio")
    port = standing / "ports/esp32"
    shutil.copytree(port if port.is_dir() else _DOUBLE / "port", folder / "ports/esp32")
    for name in ("lib/micropython-lib/README.md", "lib/berkeley-db-1.xx/README"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).touch()
    return folder


class Esp32Project(Project):
    """A copy of the project that finds the double, and builds boards of the esp32 port."""

    def __init__(self, folder: Path, idf: IdfDouble, micropython: Path) -> None:
        super().__init__(folder)
        self.idf = idf
        self.micropython = micropython

    def image(self) -> Run:
        """`./scons image BOARD=ESP32S3_N16R8`."""
        return self._scons("image", 0, {})

    def check(self) -> Run:
        """`./scons check BOARD=ESP32S3_N16R8`."""
        return self._scons("check", 0, {})

    def app(self, *options: str, status: int = 0, **environment: str) -> Run:
        """The same, as far as the application; a test that edits one thing needs no more."""
        target = self.output("app.bin").relative_to(self.folder)
        return self._scons(str(target), status, environment, *options)

    def _scons(self, target: str, status: int, environment: dict[str, str], *options: str) -> Run:
        tree = f"MICROPYTHON={self.micropython}"
        return self.scons(
            target, "BOARD=ESP32S3_N16R8", tree, *options, status=status, **environment
        )

    def environment(self, **more: str) -> dict[str, str]:
        kept = ("PATH", "HOME", "TMPDIR")
        plain = {name: os.environ[name] for name in kept if name in os.environ}
        found = {"IDF_PATH": str(self.idf.folder), "IDF_TOOLS_PATH": str(self.idf.tools)}
        return {**plain, **found, **more}

    def output(self, name: str) -> Path:
        return self.path(f"build/ESP32S3_N16R8/{name}")
