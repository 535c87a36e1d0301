# SPDX-License-Identifier: MIT
"""The goals that touch a device, as a person types them, on virtual boards."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from project import Project, Run, copy_project
from viper.virtual_board import control

PORT = "PORT=virtual:goal"


@pytest.fixture
def flashed(project: Project) -> Iterator[Project]:
    """A project whose board is flashed and serves."""
    with _flashed(project) as project:
        yield project


@pytest.fixture(scope="module")
def kept(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The same, for all tests that leave it as it was."""
    with _flashed(copy_project(built, tmp_path_factory.mktemp("kept") / "a project")) as project:
        yield project


@contextmanager
def _flashed(project: Project) -> Iterator[Project]:
    try:
        project.scons("flash", PORT)
        yield project
    finally:
        control.stop(project.path(".viper/boards/goal"))


def test_second_flash_does_nothing_and_says_so(kept: Project) -> None:
    run = kept.scons("flash", PORT)
    assert run.steps == {"FLASH " + _mac(kept)}
    assert re.search(
        r"^0 steps run, \d+ skipped, 0 B written, http://127", run.output, re.MULTILINE
    )


def test_page_is_the_asset_and_get_shows_it(kept: Project) -> None:
    index = kept.path("assets/www/index.html").read_text()
    assert _page(kept) == index
    shown = kept.scons("get", PORT).output
    assert shown.startswith("HTTP/1.1 200") and index in shown


def test_boots_from_its_flash_alone(kept: Project) -> None:
    """With the build folder gone, the board still boots what was flashed."""
    index = kept.path("assets/www/index.html").read_text()
    kept.path("build").rename(kept.path("elsewhere"))
    try:
        folder = kept.path(".viper/boards/goal")
        control.stop(folder)
        board = control.start(folder, "goal")  # on another port, if its own was taken meanwhile
        from viper.device import http_page

        http_page.wait_until_served(board.http_port, "")
        assert _page(kept) == index
    finally:
        kept.path("elsewhere").rename(kept.path("build"))


def test_edited_and_deleted_assets_reach_a_board_file_by_file(flashed: Project) -> None:
    flashed.edit("assets/www/index.html", "<title>", "<title>Edited ")
    flashed.path("assets/www/favicon.svg").unlink()
    run = flashed.scons("flash", PORT)
    assert _lines(run, "FLASH") == []
    assert _lines(run, "SEND") == ["/www/index.html", "/www/index.html.gz"]
    assert "/www/favicon.svg" in _lines(run, "DELETE")
    assert "<title>Edited " in _page(flashed)
    assert "favicon.svg" in _files_on(flashed, "/www")  # for pages that are being loaded
    flashed.scons("flash", PORT)
    assert _files_on(flashed, "/www") == {
        Path(name).name
        for name in json.loads(flashed.path("build/VIRTUAL_N16R8/flash.json").read_text())["files"]
        if name.startswith("/www/")
    }


def test_sync_sends_what_differs_at_once_and_keeps_extras_if_told(flashed: Project) -> None:
    flashed.edit("assets/www/index.html", "<title>", "<title>Synced ")
    flashed.path("assets/www/favicon.svg").unlink()
    run = flashed.scons("sync", PORT, "SYNC_DELETE=no")
    assert _lines(run, "SEND") == ["/www/index.html", "/www/index.html.gz"]
    assert _lines(run, "DELETE") == []
    assert "<title>Synced " in _page(flashed)
    again = flashed.scons("sync", PORT)
    assert _lines(again, "SEND") == [] and "/www/favicon.svg" in _lines(again, "DELETE")
    assert "nothing to send" in flashed.scons("sync", PORT).output


def test_files_of_the_user_are_kept(flashed: Project) -> None:
    _on(flashed, "with open('/mine.txt', 'w') as f: f.write('mine')")
    flashed.edit("assets/www/index.html", "<title>", "<title>Edited ")
    run = flashed.scons("flash", PORT)
    assert _lines(run, "SEND") == ["/www/index.html", "/www/index.html.gz"]
    assert "<title>Edited " in _page(flashed)
    assert _on(flashed, "print(open('/mine.txt').read())") == "mine"


def test_plan_writes_nothing(kept: Project) -> None:
    before = kept.path(".viper/boards/goal/flash.bin").read_bytes()
    kept.edit("assets/www/index.html", "<title>", "<title>Planned ")
    try:
        plan = kept.scons("plan", PORT)
    finally:
        kept.edit("assets/www/index.html", "<title>Planned ", "<title>")
        kept.scons()
    assert "vfs  only its files that differ" in plan.output
    assert "factory  the same" in plan.output
    assert "/www/index.html  to send" in plan.output
    assert kept.path(".viper/boards/goal/flash.bin").read_bytes() == before


def test_littlefs(project: Project) -> None:
    """A board whose vfs is LittleFS boots and serves the same page."""
    project.edit("boards/VIRTUAL_N16R8/board.toml", 'fs = "fat"', 'fs = "littlefs"')
    project.scons("flash", PORT)
    try:
        assert _page(project) == project.path("assets/www/index.html").read_text()
        assert "VfsLfs2" in _on(project, "import vfs; print(vfs.mount())")
    finally:
        control.stop(project.path(".viper/boards/goal"))


def test_version_is_the_build_just_made(kept: Project) -> None:
    build = json.loads(kept.path("build/VIRTUAL_N16R8/build.json").read_text())["build"]
    assert build in _on(kept, "import viperhttp; print(viperhttp.version())")


def test_clean_keeps_micropython_and_the_board(flashed: Project) -> None:
    index = flashed.path("assets/www/index.html").read_text()
    flashed.scons("-c", PORT)
    assert not flashed.path("build/VIRTUAL_N16R8").exists()
    assert flashed.path("build/micropython/py/mpconfig.h").exists()
    assert _page(flashed) == index


def test_two_boards_side_by_side(kept: Project) -> None:
    kept.scons("flash", "PORT=virtual:other")
    try:
        boards = [control.running(kept.path(f".viper/boards/{n}")) for n in ("goal", "other")]
        assert None not in boards
        assert len({board.mac for board in boards if board}) == 2
        assert len({board.http_port for board in boards if board}) == 2
    finally:
        stopped = kept.scons("board-stop", "PORT=virtual:other")
    assert re.search(r"^STOP +virtual board 'other'  stopped$", stopped.output, re.MULTILINE)


def test_log_and_reset(flashed: Project) -> None:
    log = flashed.scons("board-log", PORT).output
    assert "ViperHTTP" in log and "ESP-ROM" in log
    flashed.scons("board-reset", PORT)
    assert flashed.scons("board-log", PORT).output.count("ESP-ROM") > log.count("ESP-ROM")


def test_options_are_saved(project: Project) -> None:
    project.scons("GZIP_LEVEL=9", "HTTP_PORT=8099", "save")
    shown = project.scons("-h").output
    assert "GZIP_LEVEL=9" in shown and "HTTP_PORT=8099" in shown
    # What was not given is not kept: another port still brings its own board.
    assert "BOARD" not in project.path("local.py").read_text()
    assert "GZIP_LEVEL=3" in project.scons("-h", "GZIP_LEVEL=3").output


def _lines(run: Run, tag: str) -> list[str]:
    """What a run's lines of a tag say, sorted."""
    return sorted(re.findall(rf"^{tag} +(.*)$", run.output, re.MULTILINE))


def _mac(project: Project) -> str:
    board = control.running(project.path(".viper/boards/goal"))
    assert board is not None
    return ":".join(board.mac[at : at + 2] for at in range(0, 12, 2))


def _page(project: Project) -> str:
    board = control.running(project.path(".viper/boards/goal"))
    assert board is not None
    with urllib.request.urlopen(f"http://127.0.0.1:{board.http_port}/", timeout=10) as response:
        return str(response.read().decode())


def _on(project: Project, code: str) -> str:
    """Run Python on the board by stock mpremote."""
    board = control.running(project.path(".viper/boards/goal"))
    assert board is not None
    address = f"{board.port_url}?ign_set_control"
    command = [sys.executable, "-m", "mpremote", "connect", address, "exec", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _files_on(project: Project, folder: str) -> set[str]:
    listing = _on(project, f"import os; print(sorted(os.listdir({folder!r})))")
    return set(re.findall(r"'([^']+)'", listing))
