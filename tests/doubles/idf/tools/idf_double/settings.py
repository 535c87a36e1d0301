# SPDX-License-Identifier: MIT
"""The merge of the sdkconfig fragments, by the program that ESP-IDF has for it.

python -m idf_double.settings <sdkconfig> <defaults> <chip>
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from idf_double import installation


def main(sdkconfig: Path, defaults: Path, chip: str) -> int:
    build = sdkconfig.parent
    (build / "config").mkdir(exist_ok=True)
    return subprocess.run(
        [
            sys.executable, "-m", "kconfgen", "--list-separator=semicolon",
            "--kconfig", str(installation.IDF / "Kconfig"),
            "--sdkconfig-rename", str(installation.IDF / "sdkconfig.rename"),
            "--config", str(sdkconfig), "--defaults", str(defaults),
            "--env", f"IDF_TARGET={chip}",
            "--output", "config", str(sdkconfig),
            "--output", "json", str(build / "config/sdkconfig.json"),
        ],
        env={**os.environ, "TMPDIR": str(build / "config")},  # where it leaves files behind
    ).returncode  # fmt: skip


sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
