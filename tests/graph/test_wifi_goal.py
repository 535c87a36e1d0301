# SPDX-License-Identifier: MIT
"""A board that opens its own network, and joins a person's once it is told how."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import Project
from terminal import Terminal

PORT = "PORT=virtual:radio"
DOUBLE = Path(__file__).parents[1] / "doubles/micropython/radio_double.py"
PASSWORD = secrets.token_hex(8)  # which is in no file by itself


@pytest.fixture
def board(project: Project) -> Iterator[Project]:
    """A project whose board has a radio, or takes a double for one."""
    digest = hashlib.sha256(PASSWORD.encode()).hexdigest()
    double = DOUBLE.read_text().replace('SHA256 = ""', f'SHA256 = "{digest}"')
    project.path("firmware/app/radio_double.py").write_text(double)
    boot = project.path("firmware/app/boot.py")
    boot.write_text("import radio_double\n" + boot.read_text())
    try:
        project.scons("flash", PORT)
        yield project
    finally:
        project.scons("board-stop", PORT)


def network_of_its_own(board: Project) -> tuple[str, ...]:
    """Name, password and address as the console last told them."""
    log = board.scons("board-log", PORT).output
    told = re.findall(
        r"^radio: (\S+) with (\S+)\s+^Wi-Fi: own network \1, password \2, (\S+)", log, re.MULTILINE
    )
    return tuple(told[-1])


def give(board: Project, name: str, password: str) -> str:
    """Type a network to ./scons wifi; all that the terminal shows."""
    with Terminal(board.command("wifi", PORT), board.folder) as terminal:
        terminal.expect("Name of the network:")
        terminal.type(f"{name}\n")
        terminal.expect("Its password (not shown):")
        assert not terminal.echoes()
        terminal.type(f"{password}\n")
        terminal.expect("kept on the device only")
        assert terminal.end() == 0
        assert terminal.echoes()
        return terminal.seen


def test_from_its_own_network_to_a_given_one(board: Project) -> None:
    name, password, address = own = network_of_its_own(board)
    assert (name, address) == ("ViperHTTP-E146", "http://192.168.4.1/")
    assert re.fullmatch("[a-z2-9]{12}", password)
    board.scons("board-reset", PORT)
    assert network_of_its_own(board) == own

    assert "Wi-Fi: the network is not there" in give(board, "the cellar", PASSWORD)
    assert "Wi-Fi: the network refuses the password" in give(board, "the attic", "wrong horse")
    shown = give(board, "the attic", PASSWORD)
    assert "Wi-Fi: http://192.168.0.17/" in shown
    assert PASSWORD not in shown

    # The double keeps it as numbers; as text it is in no file of the project, the board's included.
    files = [path for path in board.folder.rglob("*") if path.is_file()]
    assert board.path(".viper/boards/radio/console.log") in files
    assert [path for path in files if PASSWORD.encode() in path.read_bytes()] == []


def test_what_no_network_can_have_is_refused(project: Project) -> None:
    try:
        project.scons("flash", PORT)
        for answer, words in (("\n\n", "1 to 32 bytes"), ("attic\nshort\n", "8 to 63 characters")):
            refused = project.scons("wifi", PORT, status=2, answer=answer)
            assert words in refused.output and "nothing was stored" in refused.output
            assert "short" not in refused.output
    finally:
        project.scons("board-stop", PORT)
