# SPDX-License-Identifier: MIT
"""What export.sh evaluates: the variables that ESP-IDF sets, or its words for what is missing."""

import os
import subprocess
import sys

from idf_double import installation


def die(message: str) -> None:
    sys.exit(f"\nERROR: {message}")


def main() -> None:
    installation.record_call("export.sh")
    environment = installation.python_environment()
    python = environment / "bin/python"
    if not python.exists():
        die(
            f'ESP-IDF Python virtual environment "{python}" not found. Please run the install '
            "script to set it up before proceeding."
        )
    checked = subprocess.run([python, "-c", "import kconfgen"], capture_output=True)
    if checked.returncode:
        print("The following Python requirements are not satisfied:", file=sys.stderr)
        print("esp-idf-kconfig", file=sys.stderr)
        die("Activation script failed")
    search = [installation.ninja(), environment / "bin", installation.IDF / "tools"]
    if any(chip in installation.XTENSA_CHIPS for chip in installation.targets()):
        if not installation.toolchain().exists():
            die(
                "tool xtensa-esp-elf has no installed versions. Please run "
                f"'{installation.IDF}/install.sh' to install it."
            )
        search.insert(0, installation.toolchain())
    print(f'export IDF_PATH="{installation.IDF}"')
    print('export ESP_IDF_VERSION="5.5"')
    print(f'export IDF_PYTHON_ENV_PATH="{environment}"')
    print(f'export ESP_ROM_ELF_DIR="{installation.tools()}/tools/esp-rom-elfs/20241011/"')
    # The real one names a file here that is another each time.
    print(f'export IDF_DEACTIVATE_FILE_PATH="/tmp/idf_{os.getpid()}"')
    print(f'export PATH="{":".join(map(str, search))}:$PATH"')


main()
