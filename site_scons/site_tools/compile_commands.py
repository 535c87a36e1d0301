# SPDX-License-Identifier: MIT
"""How each C file is compiled, for editors.

Adds to the environment:
    env.CompileCommands()  a task that writes compile_commands.json
"""

from __future__ import annotations

from pathlib import Path

from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "CompileCommands", lambda env: Task(_write))


def _write(run: Run) -> None:
    from viper.firmware import compile_commands

    written = compile_commands.write(Path("compile_commands.json"), run.folder)
    console.step("EDITOR", f"compile_commands.json  {written} files")
