# SPDX-License-Identifier: MIT
"""Panics of the chip, as its console prints them, with the source lines that they mean.

ESP-IDF v5.5.1 prints `Backtrace: PC:SP PC:SP ...` (esp_system/port/arch/xtensa/debug_helpers.c),
and then the beginning of the SHA-256 of the executable (esp_system/panic.c).
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from viper.base import process
from viper.base.errors import UserError

_BACKTRACE = re.compile(rb"Backtrace:((?: ?0x[0-9a-f]+:0x[0-9a-f]+)+)", re.IGNORECASE)
_BUILD = re.compile(rb"ELF file SHA256: ([0-9a-f]{8,64})")
_LINE_LIMIT = 4096  # bytes of a line that are kept to look at


@dataclass(frozen=True)
class Executable:
    """The build that the chip is believed to run.

    Args:
        elf: with symbols and line numbers.
        description: ESP-IDF's project_description.json, which names the compiler.
    """

    elf: Path
    description: Path

    @staticmethod
    def of_build(folder: Path) -> Executable:
        """That of a board's outputs."""
        return Executable(folder / "app.elf", folder / "firmware/project_description.json")

    def lines(self, addresses: list[str]) -> str:
        """Function, file and line of each address, inlined ones too, as addr2line prints them.

        Raises:
            UserError: there is no such build here, or its tools are gone.
        """
        try:
            compiler = json.loads(self.description.read_text(encoding="utf-8"))["c_compiler"]
        except (OSError, ValueError, KeyError, TypeError):
            raise UserError(f"no build is in {self.elf.parent}", "./scons image") from None
        tool = re.sub(r"gcc$", "addr2line", compiler)
        try:
            return process.run([tool, "-pfiaC", "-e", str(self.elf), *addresses]).strip()
        except process.ToolFailed as failure:
            raise UserError(f"{tool} fails: {failure.last_line()}") from None
        except UserError:
            raise UserError(f"{tool} is gone", "./scons idf installs ESP-IDF's tools") from None

    def is_build(self, digest: str) -> bool:
        """Whether its SHA-256 begins like that."""
        return hashlib.sha256(self.elf.read_bytes()).hexdigest().startswith(digest)


class Decoder:
    """Watches what a console prints; `feed` says what is to be shown besides."""

    def __init__(self, executable: Executable) -> None:
        self._executable = executable
        self._line = bytearray()
        self._addresses: list[str] = []

    def feed(self, output: bytes) -> list[str]:
        """Take output as it comes; lines to show after it."""
        *ended, rest = output.split(b"\n")
        shown: list[str] = []
        for piece in ended:
            shown += self._look_at(bytes(self._line + piece))
            self._line.clear()
        self._line += rest[: _LINE_LIMIT - len(self._line)]
        return shown

    def _look_at(self, line: bytes) -> list[str]:
        backtrace, build = _BACKTRACE.search(line), _BUILD.search(line)
        if backtrace:
            self._addresses = [pair.split(":")[0] for pair in backtrace[1].decode().split()]
            return self._decoded()
        if build and self._addresses:
            self._addresses = []
            return self._doubt(build[1].decode())
        return []

    def _decoded(self) -> list[str]:
        try:
            return self._executable.lines(self._addresses).splitlines()
        except UserError as problem:
            self._addresses = []
            return [f"backtrace not decoded: {problem.what}"]

    def _doubt(self, digest: str) -> list[str]:
        if self._executable.is_build(digest):
            return []
        return [f"the lines above mean nothing: the device runs another build ({digest})"]
