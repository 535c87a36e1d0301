"""MkDocs 1.6.1: with --quiet, --strict lets a broken link pass.

Expected: --strict ends with status 1 at a warning, and --quiet only says less.
Happens: a warning that --quiet does not show is not counted, and the build succeeds.

Seen with Python 3.11:
    mkdocs build --strict -> status 1
    mkdocs build --strict --quiet -> status 0
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PINS = ["mkdocs==1.6.1", "click==8.5.1"]

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder / "packages")]
    subprocess.run([*pip, *PINS], check=True, stderr=subprocess.DEVNULL)
    (folder / "docs").mkdir()
    (folder / "docs/index.md").write_text("# A page\n\n[a link](that-is-broken.md)\n")
    (folder / "mkdocs.yml").write_text("site_name: A site\n")

    def build(*options: str) -> int:
        done = subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--strict", *options],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder / "packages")},
            capture_output=True,
        )
        print("mkdocs build --strict", *options, "-> status", done.returncode)
        return done.returncode

    assert build() == 1
    assert build("--quiet") == 0
