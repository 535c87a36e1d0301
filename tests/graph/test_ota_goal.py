# SPDX-License-Identifier: MIT
"""An update over the network as a person types it, and a flash after it."""

from __future__ import annotations

import json
import stat
import urllib.request
from collections.abc import Iterator

import pytest
from project import Project
from viper.virtual_board import control

PORT = "PORT=virtual:ota"


@pytest.fixture
def flashed(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project whose board is flashed and serves, and a user without tokens."""
    monkeypatch.setenv("XDG_STATE_HOME", str(project.path("state of the user")))
    try:
        project.scons("flash", PORT)
        yield project
    finally:
        project.scons("board-stop", PORT)


def built(project: Project) -> str:
    """The build id of the images."""
    record = json.loads(project.path("build/VIRTUAL_N16R8/firmware.json").read_text())
    return str(record["build"])


def served(project: Project) -> str:
    """What the board says of its build."""
    board = control.running(project.path(".viper/boards/ota"))
    assert board is not None
    with urllib.request.urlopen(f"http://127.0.0.1:{board.http_port}/metrics", timeout=10) as page:
        return str(page.read().decode())


def test_from_a_saved_source_to_the_new_build_and_back(flashed: Project) -> None:
    refused = flashed.scons("ota", PORT, status=2)
    assert "the device has no token\n  ./scons token" in refused.output

    given = flashed.scons("token", PORT)
    folder = flashed.path("state of the user/viperhttp/tokens")
    (token,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    secret = token.read_text().strip()
    assert secret not in given.output
    assert secret not in flashed.scons("board-log", PORT).output
    flash = flashed.path(".viper/boards/ota/flash.bin").read_bytes()
    assert secret.encode() not in flash

    before = built(flashed)
    flashed.edit("firmware/python/probation.py", "LIMIT_S = 60", "LIMIT_S = 50")
    updated = flashed.scons("ota", PORT)
    assert built(flashed) != before
    assert f"runs build {built(flashed)} in ota_0" in updated.output
    assert built(flashed) in served(flashed)

    back = flashed.scons("flash", PORT)
    assert "otadata  1 sector, 4 KiB: factory boots" in back.output
    assert "FLASH factory" in back.steps
    assert built(flashed) in served(flashed)
    again = flashed.scons("ota", PORT)
    assert f"runs build {built(flashed)} in factory" in again.output
    assert flashed.path(".viper/boards/ota/flash.bin").read_bytes()[0xD000:0xF000] == (
        b"\xff" * 0x2000
    )
