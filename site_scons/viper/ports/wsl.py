# SPDX-License-Identifier: MIT
"""WSL, the Linux of Windows: which one this is, its drives, and the programs of Windows."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from viper.base import process
from viper.base.errors import UserError

PROC_VERSION = Path("/proc/version")
_WINDOWS_FILE_SYSTEMS = ("9p", "drvfs")
_SILENCE_S = 30.0  # PowerShell takes seconds to start


def version(proc_version: Path = PROC_VERSION) -> int | None:
    """1 or 2 inside of WSL, None on any other Linux.

    The kernel tells: 4.4.0-19041-Microsoft is Windows' own imitation, WSL 1, and
    5.15.167.4-microsoft-standard-WSL2 a real one.
    """
    text = proc_version.read_text(encoding="utf-8", errors="replace")
    if re.search(r"\d-Microsoft\b", text):
        return 1
    return 2 if "microsoft" in text.lower() else None


def on_windows_drive(
    folder: Path, proc_version: Path = PROC_VERSION, mounts: Path = Path("/proc/mounts")
) -> bool:
    """Whether a folder lies on a drive of Windows, where each file costs a call across systems.

    Args:
        mounts: a table of mounts, as fstab(5) writes it.
    """
    if version(proc_version) is None:
        return False
    best, kind = "", ""
    for line in mounts.read_text(encoding="utf-8").splitlines():
        _, mounted, file_system, *_ = line.split()
        point = mounted.replace("\\040", " ")
        if folder.is_relative_to(point) and len(point) > len(best):
            best, kind = point, file_system
    return kind in _WINDOWS_FILE_SYSTEMS


def windows_program(name: str, usual_place: str = "") -> str | None:
    """A program of Windows, from PATH or else from where its installer puts it."""
    return shutil.which(name) or shutil.which(usual_place)


def windows_environment() -> dict[str, str]:
    """What a program of Windows needs besides `process.clean_environment`: the way out of WSL."""
    interop = {name: os.environ[name] for name in ("WSL_INTEROP",) if name in os.environ}
    return process.clean_environment(**interop)


def run_on_windows(program: str, *arguments: str) -> str:
    """Run a program of Windows to its end.

    Raises:
        UserError: programs of Windows cannot be started from here.
        process.ToolFailed: it failed, or was silent for too long.
    """
    try:
        return process.run(
            [program, *arguments], environment=windows_environment(), silence_s=_SILENCE_S
        )
    except process.ToolFailed as failure:
        if "exec format error" in failure.output.lower():
            raise UserError(
                "WSL does not start programs of Windows here",
                "set enabled=true under [interop] in /etc/wsl.conf, then wsl --shutdown in Windows",
            ) from None
        raise
