# SPDX-License-Identifier: MIT
"""Espressif's QEMU for Xtensa: which one there is, and whether it can be a chip."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from viper.base.chip_models import MODELS
from viper.base.errors import UserError
from viper.source.esp_idf_install import EMULATOR

NAME = "qemu-system-xtensa"

# What the program is linked with (ESP-IDF's guide to QEMU), as Debian names it.
PACKAGES = ("libgcrypt20", "libglib2.0-0", "libpixman-1-0", "libsdl2-2.0-0", "libslirp0")

_ANSWER_S = 20.0
_VERSION = re.compile(r"QEMU emulator version [0-9.]+ \(([\w.-]+)\)")
_INSTALL = "./scons idf installs ESP-IDF's, or QEMU=<program> names yours"


@dataclass(frozen=True)
class Program:
    """A QEMU.

    Attributes:
        path: absolute.
        version: as Espressif counts, esp_develop_9.0.0_20240606; "" of one that is not theirs.
    """

    path: str
    version: str


def find(given: str | None, tools: Path | None) -> str:
    """Where the program is: QEMU=, ESP-IDF's own, or one on PATH.

    Args:
        given: QEMU=<program>.
        tools: the folder of ESP-IDF's tools, if there is an ESP-IDF.

    Raises:
        UserError: there is none, or none at QEMU=.
    """
    if given is not None:
        found = shutil.which(Path(given).expanduser())
        if found is None:
            raise UserError(f"QEMU={given} is no program", _INSTALL)
        return str(Path(found).absolute())
    own = sorted(tools.glob(f"tools/{EMULATOR}/*/qemu/bin/{NAME}")) if tools else []
    found = str(own[-1]) if own else shutil.which(NAME)
    if found is None:
        raise UserError(f"PORT=qemu needs Espressif's {NAME}, and there is none here", _INSTALL)
    return found


def check(path: str, chip: str) -> Program:
    """The program, if it can be a chip.

    Raises:
        UserError: it does not run, or has no such machine.
    """
    if MODELS[chip].emulation is None or not re.search(
        rf"^{chip}\s", _ask(path, "-machine", "help"), re.MULTILINE
    ):
        raise UserError(f"{path} has no machine '{chip}': it is another QEMU", _INSTALL)
    version = _VERSION.search(_ask(path, "--version"))
    return Program(path, version[1] if version else "")


def unlike(found: Program, idf: Path) -> str:
    """What tells a QEMU from the one that an ESP-IDF has; "" if nothing does."""
    wanted = _pinned(idf)
    if wanted in ("", found.version):
        return ""
    version = found.version or "another QEMU"
    return f"{found.path} is {version}, and ESP-IDF has {wanted}"


def _pinned(idf: Path) -> str:
    """The version that an ESP-IDF has; "" if it names none."""
    try:
        tools = json.loads((idf / "tools/tools.json").read_text(encoding="utf-8"))["tools"]
    except (OSError, ValueError, KeyError):
        return ""
    versions = [each for tool in tools if tool["name"] == EMULATOR for each in tool["versions"]]
    return next((str(each["name"]) for each in versions if each["status"] == "recommended"), "")


def _ask(path: str, *arguments: str) -> str:
    """What it prints."""
    try:
        done = subprocess.run(
            [path, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_S,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise UserError(f"{path} does not run: {problem}", _INSTALL) from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        raise UserError(f"{path} does not run: {said}", f"sudo apt install {' '.join(PACKAGES)}")
    return done.stdout
