"""pyfatfs 1.1.0: it installs, and cannot be imported, beside setuptools 82 and later.

Expected: a package whose requirements are installed can be imported.
Happens: its dependency fs 2.4.16 imports pkg_resources, which setuptools no longer has, and no
requirement says so.

Seen with Python 3.11:
    setuptools 80.9.0 -> imported
    setuptools 82.0.0 -> ModuleNotFoundError: No module named 'pkg_resources'
"""

import os
import subprocess
import sys
import tempfile

PINS = ["pyfatfs==1.1.0", "fs==2.4.16"]


def import_with(setuptools: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "install", "-q", "--target", folder]
        subprocess.run(
            [*pip, *PINS, f"setuptools=={setuptools}"], check=True, stderr=subprocess.DEVNULL
        )
        done = subprocess.run(
            [sys.executable, "-S", "-W", "ignore", "-c", "import pyfatfs.PyFatFS"],  # -S: no others
            env={**os.environ, "PYTHONPATH": folder},
            capture_output=True,
            text=True,
        )
    said = done.stderr.strip().splitlines()[-1] if done.returncode else "imported"
    print(f"setuptools {setuptools} -> {said}")
    return said


assert import_with("80.9.0") == "imported"
assert import_with("82.0.0") == "ModuleNotFoundError: No module named 'pkg_resources'"
