# SPDX-License-Identifier: MIT
"""Which WSL this is, and whether a clone lies on a drive of Windows."""

from __future__ import annotations

from pathlib import Path

import pytest
from viper.ports.wsl import on_windows_drive, version
from windows_computer import LINUX, WSL_1, WSL_2

# As WSL 2 (5.15.167.4-microsoft-standard-WSL2) shows them.
MOUNTS = """\
/dev/sdc / ext4 rw,relatime,discard,errors=remount-ro 0 0
C:\\134 /mnt/c 9p rw,noatime,dirsync,aname=drvfs;path=C:\\;uid=1000;gid=1000 0 0
tmpfs /mnt/wsl tmpfs rw,relatime 0 0
D:\\134 /mnt/my\\040drive drvfs rw,noatime 0 0
"""


@pytest.mark.parametrize(
    ("folder", "slow"),
    [
        ("/mnt/c/Users/me/viperhttp", True),
        ("/mnt/my drive/viperhttp", True),
        ("/home/me/viperhttp", False),
        ("/mnt/wsl/viperhttp", False),
        ("/mnt/cc", False),
    ],
)
def test_which_folders_are_on_windows(tmp_path: Path, folder: str, slow: bool) -> None:
    mounts, kernel = tmp_path / "mounts", tmp_path / "version"
    mounts.write_text(MOUNTS)
    kernel.write_text(WSL_2)
    assert on_windows_drive(Path(folder), kernel, mounts) is slow


def test_linux_by_itself_has_no_windows_drives(tmp_path: Path) -> None:
    kernel = tmp_path / "version"
    kernel.write_text(LINUX)
    assert not on_windows_drive(Path("/mnt/c"), kernel, tmp_path / "never read")


@pytest.mark.parametrize(("kernel", "expected"), [(WSL_1, 1), (WSL_2, 2), (LINUX, None)])
def test_the_kernel_tells_which_wsl_this_is(
    tmp_path: Path, kernel: str, expected: int | None
) -> None:
    (tmp_path / "version").write_text(kernel)
    assert version(tmp_path / "version") == expected
