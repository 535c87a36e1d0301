# SPDX-License-Identifier: MIT
"""An emulated board as a person types it, with the doubles of ESP-IDF and of QEMU."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import qemu_double
from idf_double import Esp32Project, IdfDouble, micropython_tree
from project import Run, copy_sources

PORT = "PORT=qemu:bench"


class EmulatedProject(Esp32Project):
    """A project whose QEMU is the double, if there is no other."""

    def type(self, goal: str, *options: str, status: int = 0) -> Run:
        words = (goal, "BOARD=ESP32S3_N16R8", f"MICROPYTHON={self.micropython}", *options)
        qemu = qemu_double.program(self.folder.parent)
        return self.scons(*words, PORT, f"QEMU={qemu}", status=status)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Iterator[EmulatedProject]:
    folder = tmp_path_factory.mktemp("emulator")
    idf = IdfDouble(folder)
    (idf.folder / "host-program").write_text(
        str(built / "build/VIRTUAL_N16R8/firmware/micropython")
    )
    tree = micropython_tree(built / "build/micropython", folder / "micropython")
    copy_sources(folder / "project")
    made = EmulatedProject(folder / "project", idf, tree)
    try:
        yield made
    finally:
        made.type("board-stop")


def page(flashed: Run) -> str:
    """The address that the last line tells."""
    return next(word for word in flashed.output.split() if word.startswith("http://127.0.0.1:"))


def test_from_a_source_to_a_page_and_all_that_a_board_has(project: EmulatedProject) -> None:
    flashed = project.type("flash")
    assert "FLASH factory" in flashed.steps
    with urllib.request.urlopen(page(flashed), timeout=60) as answer:
        assert answer.status == 200
    state = project.path(".viper/qemu/bench")
    app = project.path("build/ESP32S3_N16R8-qemu/app.bin").read_bytes()
    assert (state / "flash.bin").read_bytes()[0x10000:].startswith(app)

    assert "nothing to write" in project.type("flash").output
    project.edit("assets/www/index.html", "<title>", "<title>Emulated ")
    assert "SEND     /www/index.html\n" in project.type("sync").output
    with urllib.request.urlopen(page(flashed), timeout=60) as answer:
        assert "Emulated" in answer.read().decode()

    listed = project.type("ports").output
    row = next(line for line in listed.splitlines() if line.startswith("qemu:bench "))
    assert "esp32s3" in row and "micropython qemu:v" in row
    assert "ViperHTTP" in project.type("board-log").output
    assert "RESET    emulated board 'bench'" in project.type("board-reset").output
    project.type("smoke")
    assert "emulated board 'bench'  stopped" in project.type("board-stop").output


def test_what_has_no_emulator_is_told_where_one_is(project: EmulatedProject) -> None:
    options = ("flash", "BOARD=ESP32S3_N16R8", f"MICROPYTHON={project.micropython}")
    none = project.scons(*options, "PORT=qemu:none", status=2)
    assert "PORT=qemu needs Espressif's qemu-system-xtensa, and there is none here" in none.output
    assert "./scons idf" in none.output
    wrong = project.scons(*options, "PORT=qemu:none", "QEMU=/nowhere", status=2)
    assert "QEMU=/nowhere is no program" in wrong.output
    other = project.scons(*options, "PORT=qemu:none", "QEMU=true", status=2)
    assert "has no machine 'esp32s3'" in other.output
    assert not project.path(".viper/qemu/none").exists()


def test_a_board_that_has_not_been_made_is_not(project: EmulatedProject) -> None:
    tree = f"MICROPYTHON={project.micropython}"
    refused = project.scons("sync", "PORT=qemu:typo", "BOARD=ESP32S3_N16R8", tree, status=2)
    assert "there is no emulated board 'typo'" in refused.output
    assert "./scons flash PORT=qemu:typo" in refused.output


@pytest.mark.skipif("QEMU" in os.environ, reason="what panics is the double's")
def test_panics_in_a_loop_are_told_of(project: EmulatedProject) -> None:
    project.edit("firmware/app/main.py", "app.start(port=80)", "__import__('machine').reset()")
    try:
        refused = project.type("flash", status=2)
    finally:
        project.edit("firmware/app/main.py", "__import__('machine').reset()", "app.start(port=80)")
    assert "restarts the device again and again" in refused.output
