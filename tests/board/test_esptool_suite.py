# SPDX-License-Identifier: MIT
"""esptool's own tests for the ESP32-S3, as they come, on a virtual board at the end of a cable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from cable import Cable, build_double
from running_board import Board

ROOT = Path(__file__).parents[2]
PIN = json.loads((ROOT / "nix/pins.json").read_text(encoding="utf-8"))["esptool-suite"]

# What the suite itself leaves out for this chip and this board, and how often.
SKIPPED = {
    "Bootloader header needs to be modifiable - without sha256": 1,
    "Could be unsupported by different flash": 1,
    "Don't need to test multiple times": 6,
    "Don't run for every chip, so other bootloader images are not needed": 1,
    "Don't run on every chip, so other bootloader images are not needed": 3,
    "ESP32 only": 5,
    "ESP32-C3 only": 2,
    "ESP8266 only": 2,
    "Needs external flash": 2,
    "Not supported on targets with USB-OTG.": 2,
    "This check happens only on a valid image": 1,
    "This is a valid ESP32-S3 image, would pass": 1,
    "needs 32MB flash": 4,
}


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """esptool's sources at the pinned commit."""
    folder = tmp_path / "esptool"
    source = os.environ.get("ESPTOOL_SUITE", PIN["url"])
    git = ["git", "-C", str(folder), "-c", "advice.detachedHead=false"]
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    fetched = subprocess.run([*git, "fetch", "--quiet", "--depth=1", source, PIN["commit"]])
    if fetched.returncode:
        pytest.skip(f"{source} cannot be fetched from: ESPTOOL_SUITE= names another repository")
    subprocess.run([*git, "checkout", "--quiet", "FETCH_HEAD"], check=True)
    return folder


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """What it imports besides our own esptool's packages."""
    folder = tmp_path / "packages"
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--require-hashes", "--no-deps"]
    lock = ROOT / "requirements/esptool_suite.txt"
    subprocess.run([*pip, "--target", str(folder), "--requirement", str(lock)], check=True)
    return folder


@pytest.mark.long
def test_the_suite_passes(
    suite: Path, packages: Path, new_board: Callable[..., Board], tmp_path: Path
) -> None:
    device = tmp_path / "ttyUSB0"
    cable = Cable(device, new_board().info)
    results = tmp_path / "results.xml"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test/test_esptool.py"]
    command += ["--chip", "esp32s3", "--port", str(device), "--baud", "460800"]
    done = subprocess.run(
        [*command, f"--junitxml={results}"],
        cwd=suite,
        env={
            **os.environ,
            "LD_PRELOAD": str(build_double(tmp_path)),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": f"{suite}{os.pathsep}{packages}",
            "TMPDIR": str(tmp_path),  # where it leaves files behind
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    del cable  # held until here
    assert done.returncode == 0, done.stdout[-10_000:]
    skipped = ElementTree.parse(results).iter("skipped")
    assert Counter(reason.get("message") for reason in skipped) == SKIPPED
