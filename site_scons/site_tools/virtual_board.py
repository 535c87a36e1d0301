# SPDX-License-Identifier: MIT
"""A board on this computer, virtual or emulated: its page, its buttons, what it has printed.

Adds to the environment:
    env.VirtualBoard(what)  a task that does one of these with the board that PORT names:
                            "show page", "press reset", "show log", "switch off"
"""

from __future__ import annotations

from toolkit import device
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console
from viper.base.errors import UserError


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "VirtualBoard", lambda env, what: Task(_TASKS[what]))


def _show_page(run: Run) -> None:
    from viper.device import http_page

    board = device.running_board(run)
    console.note(http_page.get(board.http_port, device.typed(run, "board-log")))
    run.summary.url = http_page.url(board.http_port)


def _press_reset(run: Run) -> None:
    from viper.virtual_board import control

    folder, called = device.board_here(run)
    device.running_board(run)
    control.reset(folder)
    console.step("RESET", called)


def _show_log(run: Run) -> None:
    folder, called = device.board_here(run)
    from viper.device.backtrace import Decoder, Executable
    from viper.virtual_board.state import CONSOLE_LOG

    log = folder / CONSOLE_LOG
    if not log.is_file():
        raise UserError(f"{called} has never been started", device.typed(run, "flash"))
    decoder = Decoder(Executable.of_build(run.folder))
    for line in log.read_bytes().rstrip().splitlines(keepends=True):
        console.note(line.decode(errors="replace").rstrip("\r\n"))
        for decoded in decoder.feed(line):
            console.note(f"--- {decoded}")


def _switch_off(run: Run) -> None:
    from viper.virtual_board import control

    folder, called = device.board_here(run)
    was_running = control.stop(folder)
    run.summary.wrote(0)
    console.step("STOP", f"{called}  {'stopped' if was_running else 'not running'}")


_TASKS = {
    "show page": _show_page,
    "press reset": _press_reset,
    "show log": _show_log,
    "switch off": _switch_off,
}
