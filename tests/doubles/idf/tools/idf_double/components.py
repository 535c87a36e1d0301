# SPDX-License-Identifier: MIT
"""The component manager: fetches what the project declares, and keeps a lock file of it.

python -m idf_double.components <project> <chip>
"""

from __future__ import annotations

import sys
from pathlib import Path

from idf_double import installation

_WANTED = {"esp32": ("espressif__mdns",), "esp32s3": ("espressif__mdns", "espressif__tinyusb")}


def main(project: Path, chip: str) -> int:
    for name in _WANTED.get(chip, ()):
        component = project / "managed_components" / name
        if component.is_dir():
            continue
        if installation.has("no-network"):
            print(
                "ERROR: Cannot establish a connection to the component registry. Are you "
                "connected to the internet?",
                file=sys.stderr,
            )
            return 1
        component.mkdir(parents=True)
        (component / "CMakeLists.txt").write_text("idf_component_register()\n")
    lock = project / f"lockfiles/dependencies.lock.{chip}"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("a") as file:  # the one that the project came with
        file.write("# solved again\n")
    return 0


sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
