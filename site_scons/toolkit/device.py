# SPDX-License-Identifier: MIT
"""The device that the options name: at a PORT, or at HOST on the network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from viper.base.errors import UserError, nearest
from viper.ports import port
from viper.ports.port import Port

from toolkit import scons
from toolkit.options import board_of_http_port, default_http_port
from toolkit.run import Run

if TYPE_CHECKING:
    from viper.virtual_board.control import BoardInfo

_BOARDS = {port.VIRTUAL: Path(".viper/boards"), port.QEMU: Path(".viper/qemu")}
_SERVED_S = {port.VIRTUAL: 15.0, port.QEMU: 120.0}  # from a reset to the first answer
_PINS = Path("nix/pins.json")


def is_fleet(run: Run) -> bool:
    """Whether PORT names more than one device."""
    return len(port.split(run.options.PORT)) > 1


def by_network(run: Run) -> bool:
    """Whether the device is meant at HOST, and not at PORT."""
    # With both, as `dev` has them, HOST says where the page is, and PORT where the device is.
    return run.options.HOST is not None and "PORT" not in scons.arguments()


def typed(run: Run, goal: str) -> str:
    """How the user types a goal for the same port."""
    return port.typed(goal, run.options.PORT)


def called(run: Run) -> str:
    """What the user calls the port."""
    return f"PORT={run.options.PORT}"


def require_port(run: Run) -> None:
    """Refuse a PORT that cannot be there, before anything is built for it."""
    if not run.options.PORT:
        raise UserError(
            f"BOARD={run.options.BOARD} needs to know its port", "give PORT=/dev/ttyUSB0"
        )
    if not is_fleet(run):  # of several devices, one that is not there does not stop the others
        port.require(port.parse(run.options.PORT))


def require_device(run: Run) -> None:
    """The same, unless the device is meant at HOST."""
    if not by_network(run):
        require_port(run)


def serial_url(run: Run, *, makes: bool = False) -> str:
    """What pyserial opens, of a device that is there; a virtual board is started.

    Args:
        makes: a virtual board that there is not yet is made.
    """
    require_port(run)
    wanted = port.parse(run.options.PORT)
    if wanted.board is None:
        return port.find(wanted)
    folder = state_folder(wanted)
    if not (makes or (folder / "board.json").is_file()):
        known = sorted(made.parent.name for made in folder.parent.glob("*/board.json"))
        raise UserError(
            f"there is no {wanted.called}{nearest(wanted.board, known)}",
            f"{typed(run, 'flash')} makes it",
        )
    return port.viper_url(_started_board(run, wanted, makes).port_url)


def boards() -> list[Path]:
    """The folders of the boards on this computer."""
    made = (parent.glob("*/board.json") for parent in _BOARDS.values())
    return [path.parent for paths in made for path in sorted(paths)]


def state_folder(wanted: Port) -> Path:
    """Where a board on this computer keeps its state."""
    assert wanted.board is not None
    return _BOARDS[wanted.maker] / wanted.board


@contextmanager
def locked(run: Run) -> Iterator[str]:
    """The same, held alone."""
    url = serial_url(run)
    with port.lock(url, called=called(run), pid=os.getpid()):
        yield url


def _started_board(run: Run, wanted: Port, makes: bool) -> BoardInfo:
    from viper.virtual_board import control

    assert wanted.board is not None
    folder, board = state_folder(wanted), run.board
    http_port = _http_port(run, wanted, makes)
    if wanted.maker == port.VIRTUAL:
        return control.start(
            folder,
            wanted.board,
            http_port,
            chip=board.chip,
            flash_size=board.flash_size,
            psram_size=board.psram_size,
        )
    from viper.emulator import program, start
    from viper.source import esp_idf, pins

    version = pins.load(_PINS).esp_idf.version
    idf = esp_idf.find(run.options.IDF, os.environ, esp_idf.OWN.absolute(), version)
    qemu = program.find(run.options.QEMU, idf.tools if idf else None)
    return start.start(folder, wanted.board, http_port, qemu, board, idf.path if idf else None)


def _http_port(run: Run, wanted: Port, makes: bool) -> int | None:
    """Where a board's page is to be: where the user wants it, or where it was; None for any.

    A board that runs is not moved by a saved HTTP_PORT, unless it is brought up to date.
    """
    from viper.virtual_board import control, state

    folder = state_folder(wanted)
    is_typed = "HTTP_PORT" in scons.arguments()
    named = board_of_http_port(run.given, run.options)
    if (
        run.options.HTTP_PORT is not None
        and named is not None
        and (named.maker, named.board) == (wanted.maker, wanted.board)
        and (is_typed or makes or control.running(folder) is None)
    ):
        return run.options.HTTP_PORT
    if (wanted.maker, wanted.board) != (port.VIRTUAL, port.DEFAULT_BOARD):
        return None
    known = state.load(folder)
    return (known and known.http_port) or default_http_port(run.options)


def is_here(run: Run) -> bool:
    """Whether PORT names a board on this computer, a virtual or an emulated one."""
    return port.parse(run.options.PORT).board is not None


def board_here(run: Run) -> tuple[Path, str]:
    """The board on this computer that PORT names: its folder, and what it is called."""
    wanted = port.parse(run.options.PORT or "virtual")
    if wanted.board is None:
        raise UserError(f"PORT={run.options.PORT} is no virtual board", "leave PORT out")
    return state_folder(wanted), wanted.called


def running_board(run: Run) -> BoardInfo:
    """The board on this computer that PORT names, which must be running."""
    from viper.virtual_board import control

    folder, called = board_here(run)
    board = control.running(folder)
    if board is None:
        raise UserError(f"{called} is not running", typed(run, "flash"))
    return board


def wait_until_served(run: Run) -> str:
    """Wait for the page of a board on this computer that has just been reset; its address."""
    from viper.device import http_page

    board = running_board(run)
    printed = Path(board.console_log).read_bytes
    limit_s = _SERVED_S[board.maker]
    return http_page.wait_until_served(board.http_port, typed(run, "board-log"), limit_s, printed)


def host(run: Run) -> str:
    """Its address, host:port: HOST, or learned from the device at PORT."""
    if run.options.HOST is not None:
        return run.options.HOST
    if not run.options.PORT:
        raise UserError("which device is meant?", "give HOST=192.168.0.7, or PORT=/dev/ttyUSB0")
    if is_here(run):
        return f"127.0.0.1:{running_board(run).http_port}"
    if "host" not in run.learned:
        from viper.device.terminal import Console

        with locked(run) as url, Console(url, called(run)) as device:
            device.start()
            run.learned["host"] = device.address().removeprefix("http://")
    return run.learned["host"]
