"""What is different inside of WSL, the Linux of Windows."""

from __future__ import annotations

import os
from pathlib import Path

_WINDOWS_FILE_SYSTEMS = ("9p", "drvfs")


def on_windows_drive(folder: Path, release: str = "", mounts: Path = Path("/proc/mounts")) -> bool:
    """Whether a folder lies on a drive of Windows, where each file costs a call across systems.

    Args:
        release: the kernel's, by default the running one's; that of WSL names Microsoft.
        mounts: a table of mounts, as fstab(5) writes it.
    """
    if "microsoft" not in (release or os.uname().release).lower():
        return False
    best, kind = "", ""
    for line in mounts.read_text(encoding="utf-8").splitlines():
        _, mounted, file_system, *_ = line.split()
        point = mounted.replace("\\040", " ")
        if folder.is_relative_to(point) and len(point) > len(best):
            best, kind = point, file_system
    return kind in _WINDOWS_FILE_SYSTEMS
