# SPDX-License-Identifier: MIT
"""What install.sh runs, `idf_tools.py esp32,esp32s3`, and `idf_tools.py install qemu-xtensa`."""

import json
import shutil
import sys

from idf_double import installation

_PYTHON = """#!/bin/sh
PYTHONPATH={path} exec {python} "$@"
"""


def main(chips: list[str]) -> None:
    tools = installation.tools()
    print("Installing ESP-IDF tools")
    tools.mkdir(parents=True, exist_ok=True)
    (tools / "idf-env.json").write_text(json.dumps({"targets": chips}))
    if any(chip in installation.XTENSA_CHIPS for chip in chips):
        installation.toolchain().mkdir(parents=True, exist_ok=True)
        for chip in installation.XTENSA_CHIPS:
            _executable(installation.toolchain() / f"xtensa-{chip}-elf-gcc", "#!/bin/sh\nexit 1\n")
    installation.ninja().mkdir(parents=True, exist_ok=True)
    ninja = installation.ninja() / "ninja"
    shutil.copy(installation.IDF / "tools/ninja.py", ninja)
    ninja.chmod(0o755)
    print("Installing Python environment and packages")
    environment = installation.python_environment()
    (environment / "bin").mkdir(parents=True, exist_ok=True)
    (environment / "pyvenv.cfg").write_text(f"executable = {installation.interpreter()}\n")
    wrapper = _PYTHON.format(path=installation.IDF / "tools", python=installation.interpreter())
    _executable(environment / "bin/python", wrapper)
    print("All done! You can now run:")


def install_emulator():
    """A link to what stands for the emulator, if the double was told of one."""
    if not installation.has("emulator"):
        sys.exit("ERROR: qemu-xtensa: no download for this platform")
    folder = installation.tools() / "tools/qemu-xtensa/esp_develop_9.0.0_20240606/qemu/bin"
    folder.mkdir(parents=True, exist_ok=True)
    emulator = (installation.IDF / "emulator").read_text()
    _executable(folder / "qemu-system-xtensa", f"#!/bin/sh\nexec '{emulator}' \"$@\"\n")


def _executable(path, text):
    path.write_text(text)
    path.chmod(0o755)


if sys.argv[1:] == ["install", "qemu-xtensa"]:
    install_emulator()
else:
    main(sys.argv[1].split(","))
