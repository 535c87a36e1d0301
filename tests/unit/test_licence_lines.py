# SPDX-License-Identifier: MIT
"""Every source file says its licence within its first lines."""

from __future__ import annotations

import subprocess

from project import ROOT

LINE = "SPDX-License-Identifier: MIT"
NAMES = ("*.py", "*.nix", "*.cmake", "*.mk", "*.c", "*.h", "*.js", "*.css", "SConstruct", "scons")


def test_every_source_file_says_its_licence() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *NAMES],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    heads = {path: path.read_text(encoding="utf-8")[:200] for path in files if path.is_file()}
    assert len(heads) > 100
    assert [str(path) for path, head in heads.items() if head and LINE not in head] == []
