# SPDX-License-Identifier: MIT
"""The end of SConstruct, where everything is declared.

Adds to the environment:
    env.CommandLine()  print the help, or see that what was typed can be brought about
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Callable, Iterable
from pathlib import Path

from toolkit import scons
from toolkit.failures import failures
from toolkit.options import lines
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.tool import provide
from viper.base import console
from viper.base.errors import UserError, nearest


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "CommandLine", command_line)


def command_line(env: Environment) -> None:
    """Refuse targets that nobody declared, print the help if asked for, then let SCons build."""
    run = env["RUN"]
    if scons.option("help"):
        scons.show_help(_help(run))
        return
    if run.lock is not None and run.other_build:
        if set(scons.targets() or [run.typed_by_default]) - set(run.answered):
            run.lock.begin_again()
        console.note(f"another build goes on ({run.other_build}): this is what stood before it")
    env.Default(run.typed_by_default)
    known = list(run.goals)
    for target in scons.targets():
        is_made = not Path(target).is_dir() and scons.is_made(scons.file_named(target))
        if target not in known and not is_made:
            raise UserError(f"no target '{target}'{nearest(target, known)}", "./scons -h")
    if not (scons.option("clean") or scons.option("no_exec")):
        for look in dict.fromkeys(run.first):
            look(run)
        if run.packages:
            _install(run.packages)
    run.summary.ignored = len(run.trees.ignored)
    gc.freeze()
    gc.enable()
    run.tell = _last_line(run)
    atexit.register(run.keep)
    atexit.register(run.tell)


def _install(locks: Iterable[str]) -> None:
    from viper.base import packages

    with failures("requirements"):
        for lock in dict.fromkeys(locks):
            packages.provide(lock)


def _last_line(run: Run) -> Callable[[], None]:
    """A function that prints what the run did, once."""
    told: list[bool] = []
    clean = scons.option("clean")

    def tell() -> None:
        if told or scons.failures() or not (run.summary.begun or clean):
            return
        told.append(True)
        if clean:
            console.step("CLEAN", f"{run.folder}  MicroPython and virtual boards stay")
        elif scons.option("no_exec"):
            steps = run.summary.steps_run
            console.note(f"{steps} steps would run, and then what follows from them")
        else:
            console.note(run.summary.line())

    return tell


def _help(run: Run) -> str:
    """The goals by group, then the options with their values."""
    groups: dict[str, list[str]] = {}
    for name, goal in run.goals.items():
        groups.setdefault(goal.group, []).append(f"  {name:<12} {goal.help}")
    told = [
        "usage: ./scons [TARGET ...] [OPTION=value ...]",
        "What is done to a device is done in the order of this list.",
        "",
    ]
    for group, entries in groups.items():
        told += [group, *entries, ""]
    options = lines(run.options, run.board)
    return "\n".join([*told, "Options, with their values now", *options, ""])
