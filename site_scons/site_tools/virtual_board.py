# SPDX-License-Identifier: MIT
"""A virtual board: its page, its buttons, what it has printed.

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

    board = device.running_board(run)
    control.reset(device.BOARDS / board.name)
    console.step("RESET", f"virtual board '{board.name}'")


def _show_log(run: Run) -> None:
    name = device.board_name(run)
    from viper.virtual_board.state import CONSOLE_LOG

    log = device.BOARDS / name / CONSOLE_LOG
    if not log.is_file():
        raise UserError(
            f"virtual board '{name}' has never been started", device.typed(run, "flash")
        )
    console.note(log.read_text(encoding="utf-8", errors="replace").rstrip())


def _switch_off(run: Run) -> None:
    from viper.virtual_board import control

    name = device.board_name(run)
    was_running = control.stop(device.BOARDS / name)
    run.summary.wrote(0)
    console.step("STOP", f"virtual board '{name}'  {'stopped' if was_running else 'not running'}")


_TASKS = {
    "show page": _show_page,
    "press reset": _press_reset,
    "show log": _show_log,
    "switch off": _switch_off,
}
