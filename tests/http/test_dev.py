# SPDX-License-Identifier: MIT
"""The incremental loop, in front of a real browser: save, and see."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from chromium import Chromium, Page
from dev_session import DevSession
from project import Project, processes_in
from slowness import slowness

PORT = "PORT=virtual:dev"
_LIMIT_S = 120.0  # a build of the firmware, on a machine that is busy with other tests


@pytest.fixture
def loop(project: Project) -> Iterator[DevSession]:
    loop = DevSession(project.start("dev", PORT))
    try:
        yield loop
    finally:
        loop.close()
        project.scons("board-stop", PORT)


@pytest.fixture
def page(browser: Chromium, loop: DevSession) -> Iterator[Page]:
    page = browser.open(loop.page(), width=1280)
    yield page
    page.close()


def build_of(project: Project) -> str:
    record = json.loads(project.path("build/VIRTUAL_N16R8/firmware.json").read_text())
    return str(record["build"])


def test_what_is_saved_is_seen(project: Project, loop: DevSession, page: Page) -> None:
    page.wait_until("document.title === 'ViperHTTP'")

    project.edit("assets/www/index.html", "<title>", "<title>Saved ")
    page.wait_until("document.title.startsWith('Saved ')", _LIMIT_S)
    page.wait_until("document.querySelectorAll('script[src*=_dev]').length === 1")

    # Between two saves others may have the port, and the board may be reset.
    assert "nothing to send" in project.scons("sync", PORT).output
    project.scons("board-reset", PORT)

    # An error is shown, and what mends it goes on.
    seen = len(loop.output)
    project.path("assets/www/a:b.txt").write_text("not a name for FAT")
    loop.wait_for(r"^error: .*a:b\.txt", seen)
    project.path("assets/www/a:b.txt").unlink()
    project.edit("assets/www/index.html", "<title>Saved ", "<title>Mended ")
    page.wait_until("document.title.startsWith('Mended ')", _LIMIT_S)

    # Frozen Python runs after its build, without another command.
    before = build_of(project)
    project.edit("firmware/python/probation.py", "LIMIT_S = 60", "LIMIT_S = 50")
    identity = "(document.querySelector('.identity')?.innerText ?? '')"
    page.wait_until(f"{identity} && !{identity}.includes('{before}')", _LIMIT_S)
    page.wait_until(f"{identity}.includes('{build_of(project)}')")  # it may load once more

    # Nothing of the loop is on the device, nor is anything left when it ends during a build.
    assert b"_dev/reload" not in project.path(".viper/boards/dev/flash.bin").read_bytes()
    seen = len(loop.output)
    project.edit("firmware/python/probation.py", "LIMIT_S = 50", "LIMIT_S = 40")
    loop.wait_for("compiling MicroPython", seen)
    asked = time.monotonic()
    loop.interrupt()
    assert time.monotonic() - asked < 5 * slowness()
    assert "Traceback" not in loop.output
    left = processes_in(project.folder)
    assert all("viper.virtual_board" in command for command in left), left
