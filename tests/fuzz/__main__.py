# SPDX-License-Identifier: MIT
"""`python -m tests.fuzz SECONDS [TARGET…]`: status 1 and the crash's input when one is found."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.fuzz import targets


def main() -> int:
    seconds = int(sys.argv[1])
    for name in sys.argv[2:] or targets.TARGETS:
        folder = Path(tempfile.mkdtemp(prefix=f"viperhttp-fuzz-{name}-"))
        done = targets.run(targets.build(name, folder), name, folder, seconds)
        if done.returncode != 0:
            print(done.stdout[-4000:])
            print(f"{name}: a crash, whose input is in {folder}")
            return 1
        shutil.rmtree(folder)
        print(f"{name}: {seconds} s, nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
