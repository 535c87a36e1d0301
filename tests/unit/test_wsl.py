"""A clone on a drive of Windows is told apart by the mount it lies on."""

from __future__ import annotations

from pathlib import Path

import pytest
from viper.wsl import on_windows_drive

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
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert on_windows_drive(Path(folder), "5.15.167.4-microsoft-standard-WSL2", mounts) is slow


def test_linux_by_itself_has_no_windows_drives(tmp_path: Path) -> None:
    assert not on_windows_drive(Path("/mnt/c"), "6.1.0-18-amd64", tmp_path / "never read")
