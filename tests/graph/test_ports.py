# SPDX-License-Identifier: MIT
"""Listing, erasing, and the console of a board, as a person at a terminal does it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from project import Project
from terminal import Terminal
from viper.ports import wsl
from viper.virtual_board import control

PORT = "PORT=virtual:desk"


@pytest.fixture
def flashed(project: Project) -> Iterator[Project]:
    """A project whose board is flashed and serves."""
    try:
        project.scons("flash", PORT)
        yield project
    finally:
        project.scons("board-stop", PORT)


def test_console_of_a_board_from_its_prompt_to_its_end(flashed: Project) -> None:
    with Terminal(flashed.command("repl", PORT), flashed.folder) as repl:
        repl.expect("Ctrl-] ends this")
        repl.expect(">>> ")
        repl.type("print(6 * 7)\r")
        repl.expect("\r\n42\r\n>>> ")
        repl.type("import time; print('busy'); time.sleep(60)\r")
        repl.expect("\r\nbusy\r\n")
        repl.type("\x03")  # ends what the board does, and nothing here
        repl.expect("KeyboardInterrupt")
        for goal in ("flash", "monitor", "erase"):
            held = flashed.scons(goal, PORT, status=2, answer="yes\n").output
            assert "is in use by process" in held and f"repl {PORT}" in held
        # Who only looks disturbs nobody.
        listed = flashed.scons("ports").output
        assert "viperhttp" in listed and "what is built here for VIRTUAL_N16R8" in listed
        repl.expect(">>> ")
        repl.type("\x1d")
        assert repl.end() == 0
    with Terminal(flashed.command("monitor", PORT), flashed.folder) as monitor:
        monitor.expect("Ctrl-C or Ctrl-] ends this")
        flashed.scons("board-reset", PORT)
        monitor.expect("ViperHTTP")
        monitor.type("ignored\x03")
        assert monitor.end() == 0
    assert "repl needs a terminal" in flashed.scons("repl", PORT, status=2).output
    with Terminal(flashed.command("monitor", PORT), flashed.folder) as monitor:
        monitor.expect("ends this")
        flashed.scons("board-stop", PORT)
        monitor.expect(f"{PORT} has closed")
        assert monitor.end() == 2


def test_ports_and_erase(flashed: Project) -> None:
    board = control.running(flashed.path(".viper/boards/desk"))
    assert board is not None
    mac = ":".join(board.mac[at : at + 2] for at in range(0, 12, 2))
    line = _line_of("virtual:desk", flashed.scons("ports").output)
    for word in (mac, "esp32s3", "16 MB", "viperhttp ", f"http://127.0.0.1:{board.http_port}/"):
        assert word in line
    flash = flashed.path(".viper/boards/desk/flash.bin")
    before = flash.read_bytes()
    with Terminal(flashed.command("erase", PORT), flashed.folder) as asked:
        asked.expect("Erase the whole flash of PORT=virtual:desk, files, settings and all?")
        asked.type("y\n")
        asked.expect("nothing was erased")
        assert asked.end() == 2
    assert flash.read_bytes() == before
    assert "ERASE    PORT=virtual:desk" in flashed.scons("erase", PORT, answer="yes\n").output
    assert flash.read_bytes().count(b"\xff") == flash.stat().st_size
    line = _line_of("virtual:desk", flashed.scons("ports").output)
    assert mac in line and "viperhttp" not in line
    flashed.scons("board-stop", PORT)
    assert _line_of("virtual:desk", flashed.scons("ports").output).endswith("off")


def test_erase_makes_no_board_to_erase(project: Project) -> None:
    refused = project.scons("erase", "PORT=virtual:typo", status=2, answer="yes\n")
    assert "'typo' is not running" in refused.output
    assert not project.path(".viper/boards/typo").exists()


def test_a_port_of_windows_on_plain_linux(project: Project) -> None:
    if wsl.version():
        pytest.skip("this is WSL, where COM14 may mean something")
    refused = project.scons("monitor", "PORT=COM14", status=2).output
    assert "PORT=COM14" in refused and "WSL" in refused and "./scons ports" in refused


def _line_of(port: str, output: str) -> str:
    (line,) = (line for line in output.splitlines() if line.startswith(f"{port} "))
    return line.rstrip()
