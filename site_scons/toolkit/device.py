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

from toolkit import scons
from toolkit.options import board_of_http_port, default_http_port
from toolkit.run import Run

if TYPE_CHECKING:
    from viper.virtual_board.control import BoardInfo

BOARDS = Path(".viper/boards")


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
    if not (makes or (BOARDS / wanted.board / "board.json").is_file()):
        known = sorted(made.parent.name for made in BOARDS.glob("*/board.json"))
        raise UserError(
            f"there is no virtual board '{wanted.board}'{nearest(wanted.board, known)}",
            f"{typed(run, 'flash')} makes it",
        )
    return port.viper_url(_started_board(run, wanted.board, makes).port_url)


@contextmanager
def locked(run: Run) -> Iterator[str]:
    """The same, held alone."""
    url = serial_url(run)
    with port.lock(url, called=called(run), pid=os.getpid()):
        yield url


def _started_board(run: Run, name: str, makes: bool) -> BoardInfo:
    from viper.virtual_board import control

    return control.start(
        BOARDS / name,
        name,
        _http_port(run, name, makes),
        chip=run.board.chip,
        flash_size=run.board.flash_size,
        psram_size=run.board.psram_size,
    )


def _http_port(run: Run, name: str, makes: bool) -> int | None:
    """Where a board's page is to be: where the user wants it, or where it was; None for any.

    A board that runs is not moved by a saved HTTP_PORT, unless it is brought up to date.
    """
    from viper.virtual_board import control, state

    is_typed = "HTTP_PORT" in scons.arguments()
    if (
        run.options.HTTP_PORT is not None
        and board_of_http_port(run.given, run.options) == name
        and (is_typed or makes or control.running(BOARDS / name) is None)
    ):
        return run.options.HTTP_PORT
    if name != port.DEFAULT_BOARD:
        return None
    known = state.load(BOARDS / name)
    return (known and known.http_port) or default_http_port(run.options)


def is_virtual(run: Run) -> bool:
    """Whether PORT names a virtual board."""
    return port.parse(run.options.PORT).board is not None


def board_name(run: Run) -> str:
    """The virtual board that PORT names."""
    name = port.parse(run.options.PORT or "virtual").board
    if name is None:
        raise UserError(f"PORT={run.options.PORT} is no virtual board", "leave PORT out")
    return name


def running_board(run: Run) -> BoardInfo:
    """The virtual board that PORT names, which must be running."""
    from viper.virtual_board import control

    name = board_name(run)
    board = control.running(BOARDS / name)
    if board is None:
        raise UserError(f"virtual board '{name}' is not running", typed(run, "flash"))
    return board


def wait_until_served(run: Run) -> str:
    """Wait for the page of a virtual board that has just been reset; its address."""
    from viper.device import http_page

    board = running_board(run)
    printed = Path(board.console_log).read_bytes
    return http_page.wait_until_served(board.http_port, typed(run, "board-log"), printed)


def host(run: Run) -> str:
    """Its address, host:port: HOST, or learned from the device at PORT."""
    if run.options.HOST is not None:
        return run.options.HOST
    if not run.options.PORT:
        raise UserError("which device is meant?", "give HOST=192.168.0.7, or PORT=/dev/ttyUSB0")
    if is_virtual(run):
        return f"127.0.0.1:{running_board(run).http_port}"
    if "host" not in run.learned:
        from viper.device.terminal import Console

        with locked(run) as url, Console(url, called(run)) as device:
            device.start()
            run.learned["host"] = device.address().removeprefix("http://")
    return run.learned["host"]
