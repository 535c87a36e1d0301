# SPDX-License-Identifier: MIT
"""Starting, stopping and asking a board on this computer, for everybody outside this package.

It is a virtual board, or has the process of another package that stands on this one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viper.base.errors import UserError
from viper.ports import port
from viper.virtual_board import state
from viper.virtual_board.control_server import address, peer_pid, peer_uid
from viper.virtual_board.http_port import PortTaken, claim, refusal
from viper.virtual_chip.chip import MIB

_IMPORT_ROOT = Path(__file__).parents[2]

# What a board runs of viper: these wings, and these modules of others.
WINGS = ("emulator", "virtual_board", "virtual_chip")
IMPORTED = (
    "viper.base.atomic_file",
    "viper.base.chip_models",
    "viper.base.errors",
    "viper.base.parent_process",
    "viper.base.printable",
    "viper.image.app_image",
    "viper.image.boot_order",
    "viper.image.otadata",
    "viper.image.partition_table",
    "viper.image.sectors",
    "viper.ports.port",
    "viper.ports.telnet",
)

_START_LIMIT_S = 15.0
_STOP_LIMIT_S = 5.0  # then it is killed
_ANSWER_LIMIT_S = 10.0


@dataclass(frozen=True)
class BoardInfo:
    """A running board.

    Args:
        pid: its process.
        maker: what its PORT begins with, as viper.ports.port has it.
        name: what its PORT calls it.
        mac: 12 hex digits, lower case.
        chip: "esp32s3", or what it was made as.
        flash_size: bytes.
        port_url: its serial port, rfc2217://127.0.0.1:N.
        http_port: host port of its port 80.
        mode: "application", "bootloader" (nothing boots), "download", "reset", "halted" or "off".
        port_holder: who is connected to the serial port, for a message; None when nobody is.
        console_log: file of what it printed.
        source: digest of the program that it runs.
    """

    pid: int
    maker: str
    name: str
    mac: str
    chip: str
    flash_size: int
    port_url: str
    http_port: int
    mode: str
    port_holder: str | None
    console_log: str
    source: str

    @property
    def called(self) -> str:
        """What people call it."""
        return port.board_called(self.name, self.maker)


@dataclass(frozen=True)
class Counters:
    """What the flash has gone through since the board was started, by the line or by itself."""

    bytes_programmed: int
    sectors_erased: int


def start(
    folder: Path,
    name: str,
    http_port: int | None = None,
    *,
    chip: str = "esp32s3",
    flash_size: int = 16 * MIB,
    psram_size: int = 8 * MIB,
) -> BoardInfo:
    """Have a virtual board running; see `start_process`.

    Args:
        folder: its state folder, made if missing.
        name: what it is called; it counts when the board is made, as what follows http_port does.
        http_port: host port for its port 80; None takes the one it had if it is free, else another.
        chip: which it carries.
        flash_size, psram_size: bytes.
    """
    arguments = ["--chip", chip, "--flash-size", str(flash_size), "--psram-size", str(psram_size)]
    return start_process(
        folder,
        port.board_called(name),
        ["viper.virtual_board", str(folder.resolve()), "--name", name, *arguments],
        http_port,
        source_digest,
    )


def start_process(
    folder: Path, called: str, program: list[str], http_port: int | None, source: Callable[[], str]
) -> BoardInfo:
    """Have a board's process running; one that runs already is left alone.

    It is restarted when it has another HTTP port, or when its program has changed since.

    Args:
        folder: its state folder, made if missing.
        called: what errors call it.
        program: a module and its arguments.
        http_port: host port for its port 80; None takes the one it had if it is free, else another.
        source: the digest of the program as it stands now.

    Raises:
        UserError: the HTTP port is taken, or the state folder is not usable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{called} cannot be made in {folder}: {error.strerror}") from None
    command = [sys.executable, "-m", *program]
    if http_port is not None:
        command += ["--http-port", str(http_port)]
    deadline = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < deadline:
        board = running(folder)
        if board is not None:
            if http_port is not None and http_port != board.http_port:
                _refuse_taken(called, http_port)
            elif board.source == source():
                return board
            stop(folder)
        _launch(command, called)
    raise UserError(f"{called} does not start", f"see {folder}/board.log")


def _refuse_taken(called: str, http_port: int) -> None:
    """Find out that a port is taken before the board that runs is stopped for it."""
    try:
        claim(http_port).close()
    except PortTaken as taken:
        raise refusal(called, http_port, taken) from None


def _launch(command: list[str], called: str) -> None:
    """Run the program that becomes the board; it returns when the board answers, or cannot be."""
    environment = os.environ | {"PYTHONPATH": str(_IMPORT_ROOT)}
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=False
    )
    try:
        report = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
        raise UserError(f"the process of {called} failed: {last}") from None
    if report["error"] is not None:
        raise UserError(report["error"], report["next_step"])


def running(folder: Path) -> BoardInfo | None:
    """The board of a state folder, None if it is not running."""
    try:
        return BoardInfo(**_ask(folder, "info"))
    except _NotRunning:
        return None


def stop(folder: Path) -> bool:
    """End a board, even one that hangs; its flash keeps.

    Returns:
        Whether it was running.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        try:
            _connect(connection, folder)
        except _NotRunning:
            return False
        process = os.pidfd_open(peer_pid(connection))
        with contextlib.suppress(_NotRunning, TimeoutError):  # it may be about to end, or hang
            _request(connection, "stop")
        if not select.select([process], [], [], _STOP_LIMIT_S)[0]:
            signal.pidfd_send_signal(process, signal.SIGKILL)
            select.select([process], [], [])
        os.close(process)
        return True


def reset(folder: Path) -> None:
    """Press its reset button; UserError if it is not running (so for all that follow)."""
    _do(folder, "reset")


def power_off(folder: Path) -> None:
    """Take its power away: the port stays, and is silent."""
    _do(folder, "power_off")


def power_on(folder: Path) -> None:
    """Give it power, if it has none."""
    _do(folder, "power_on")


def set_faults(
    folder: Path,
    *,
    power_after_bytes: int | None = None,
    bad_sector: int | None = None,
    answer_delay_ms: int = 0,
    hold_line: bool = False,
) -> None:
    """Set the board's faults to exactly these; without arguments it has none.

    Args:
        power_after_bytes: the power fails when so many more bytes have been programmed.
        bad_sector: index of a 4 KiB sector that neither erases nor programs.
        answer_delay_ms: all that the board sends comes later by this.
        hold_line: hold both directions of the line to the baud rate that the client chose.
    """
    _do(folder, "set_faults", power_after_bytes=power_after_bytes, bad_sector=bad_sector)
    _do(folder, "set_line", answer_delay_ms=answer_delay_ms, hold_line=hold_line)


def counters(folder: Path) -> Counters:
    """What has been erased and programmed since the board was started."""
    return Counters(**_do(folder, "counters"))


def source_digest(tool: str = "") -> str:
    """A digest of the program that a board runs, and of the name of the tool that it starts."""
    digest = hashlib.sha256(tool.encode())
    imported = (_IMPORT_ROOT / f"{name.replace('.', '/')}.py" for name in IMPORTED)
    wings = (file for wing in WINGS for file in (_IMPORT_ROOT / "viper" / wing).glob("*.py"))
    for file in sorted([*wings, *imported]):
        digest.update(
            f"{file.parent.name}/{file.name}".encode() + b"\0" + file.read_bytes() + b"\0"
        )
    return digest.hexdigest()[:16]


class _NotRunning(Exception):
    """There is no board in that folder."""


def _do(folder: Path, action: str, **arguments: Any) -> Any:
    try:
        return _ask(folder, action, **arguments)
    except _NotRunning:
        raise UserError(f"no board is running in {folder}", _typed("flash", folder)) from None


def _ask(folder: Path, action: str, **arguments: Any) -> Any:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        _connect(connection, folder)
        try:
            return _request(connection, action, **arguments)
        except TimeoutError:
            raise UserError(
                f"the board in {folder} does not answer", _typed("board-stop", folder)
            ) from None


def _connect(connection: socket.socket, folder: Path) -> None:
    connection.settimeout(_ANSWER_LIMIT_S)
    try:
        connection.connect(address(folder))
    except (ConnectionRefusedError, FileNotFoundError):
        raise _NotRunning from None
    if peer_uid(connection) != os.getuid():
        raise UserError(f"the board in {folder} belongs to another user")


def _request(connection: socket.socket, action: str, **arguments: Any) -> Any:
    """Ask and read the answer; _NotRunning if the board ends instead, TimeoutError if it hangs."""
    try:
        connection.sendall(json.dumps({"do": action, **arguments}).encode() + b"\n")
        with connection.makefile("rb") as answer:
            line = answer.readline()
    except ConnectionError:
        line = b""
    if not line:
        raise _NotRunning
    return json.loads(line)


def _typed(goal: str, folder: Path) -> str:
    """How the user types a goal for the board in a folder, which is called as the board is."""
    known = state.load(folder)
    return port.typed(goal, port.of_board(folder.name, known.maker if known else port.VIRTUAL))
