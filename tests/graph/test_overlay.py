# SPDX-License-Identifier: MIT
"""An image for an emulator: the board's own with an overlay, and never taken for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from idf_double import Esp32Project, IdfDouble, micropython_tree
from project import Run, copy_sources
from viper.base.errors import UserError
from viper.flash import jobs, writing
from viper.image import app_image
from viper.ports import port

BOARDS = ("ESP32S3_N16R8", "ESP32_SPIRAM")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, built: Path) -> Esp32Project:
    folder = tmp_path_factory.mktemp("overlay")
    idf = IdfDouble(folder)
    tree = micropython_tree(built / "build/micropython", folder / "micropython")
    copy_sources(folder / "project")
    return Esp32Project(folder / "project", idf, tree)


def image(project: Esp32Project, board: str, port: str) -> Run:
    return project.scons(
        "image", f"BOARD={board}", f"PORT={port}", f"MICROPYTHON={project.micropython}"
    )


def described(folder: Path) -> app_image.AppDescription:
    found = app_image.describe(app_image.parse((folder / "app.bin").read_bytes()))
    assert found
    return found


def identity(folder: Path) -> str:
    return str(json.loads((folder / "firmware.json").read_text())["build"])


@pytest.mark.parametrize("board", BOARDS)
def test_it_is_the_boards_own_with_another_network_and_says_so(
    project: Esp32Project, board: str
) -> None:
    image(project, board, "qemu")
    emulated = project.path(f"build/{board}-qemu")
    assert described(emulated).overlay == "qemu"
    assert identity(emulated).startswith("qemu_")
    settings = (emulated / "firmware/sdkconfig").read_text()
    assert "CONFIG_ETH_USE_OPENETH=y" in settings
    frozen = (emulated / "firmware/frozen_content.c").read_text()
    assert "network.LAN(" in frozen and "this image is for QEMU" in frozen

    image(project, board, "rfc2217://127.0.0.1:1")
    own = project.path(f"build/{board}")
    assert described(own).overlay == ""
    assert "_" not in identity(own)
    assert "CONFIG_ETH_USE_OPENETH=y" not in (own / "firmware/sdkconfig").read_text()
    assert "network.LAN(" not in (own / "firmware/frozen_content.c").read_text()
    inputs = json.loads((own / "firmware.json").read_text())["files"]
    assert not [path for path in inputs if "overlays" in path]


def test_a_setting_of_the_overlay_that_comes_to_nothing_is_told(project: Esp32Project) -> None:
    fragment = "boards/overlays/qemu/sdkconfig.overlay"
    project.edit(fragment, "ETH_USE_OPENETH=y", "ETH_USE_OPENET=y")
    try:
        options = ("BOARD=ESP32S3_N16R8", "PORT=qemu", f"MICROPYTHON={project.micropython}")
        refused = project.scons("image", *options, status=2)
    finally:
        project.edit(fragment, "ETH_USE_OPENET=y", "ETH_USE_OPENETH=y")
    assert f"{fragment} line 3: CONFIG_ETH_USE_OPENET=y came to nothing" in refused.output


def test_the_two_are_not_taken_for_each_other(project: Esp32Project) -> None:
    board = BOARDS[0]
    image(project, board, "qemu")
    image(project, board, "rfc2217://127.0.0.1:1")
    emulated, own = (
        writing.load(project.path(f"build/{name}/flash.json"), project.folder)
        for name in (f"{board}-qemu", board)
    )
    emulated.refuse_other_device(port.parse("qemu:bench"))
    own.refuse_other_device(port.parse("/dev/ttyUSB0"))
    for at in ("/dev/ttyUSB0", "COM14", "virtual", "rfc2217://127.0.0.1:1", "labgrid:x"):
        with pytest.raises(UserError, match="is for an emulator") as refused:
            emulated.refuse_other_device(port.parse(at))
        assert refused.value.next_step.startswith("./scons flash")
    with pytest.raises(UserError, match=r"is without the overlay 'qemu'.*no network") as refused:
        own.refuse_other_device(port.parse("qemu"))
    assert "./scons flash PORT=qemu" in refused.value.next_step


@pytest.mark.parametrize("goal", [jobs.FLASH, jobs.PLAN, jobs.RESTORE])
def test_it_is_refused_for_a_board_before_the_port_is_opened(
    project: Esp32Project, tmp_path: Path, goal: str
) -> None:
    image(project, BOARDS[0], "qemu")
    request = jobs.FlashRequest(
        port="rfc2217://127.0.0.1:1",  # where nobody listens
        url="viper://127.0.0.1:1",
        baud=115200,
        image=project.path(f"build/{BOARDS[0]}-qemu/flash.json"),
        root=project.folder,
        stamps=tmp_path,
        backups=tmp_path,
        build="",
        goal=goal,
    )
    with pytest.raises(UserError, match="is for an emulator"):
        jobs.flash(request)


@pytest.mark.parametrize("ports", ["qemu,/dev/ttyUSB0", "virtual,qemu"])
def test_several_devices_are_of_one_kind(project: Esp32Project, ports: str) -> None:
    refused = project.scons("flash", f"PORT={ports}", status=2)
    assert "names emulators and others" in refused.output
