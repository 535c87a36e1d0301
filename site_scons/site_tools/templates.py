# SPDX-License-Identifier: MIT
"""The application's templates as nodes: Jinja in, Python for the device out.

Adds to the environment:
    env.Templates(folder)  build/<BOARD>/templates/*.py
"""

from __future__ import annotations

import os
from pathlib import Path

from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.base import atomic_file
from viper.templates.names import is_part, module_name


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Templates", templates)


def templates(env: Environment, folder: str) -> list[Node]:
    names = sorted(
        Path(parent, name).relative_to(folder).as_posix()
        for parent, _, files in os.walk(folder)
        for name in files
    )
    pages = [name for name in names if not is_part(name)]
    if not pages:
        return []
    build = f"{env['RUN'].folder}/templates"
    return env.Command(
        [f"{build}/{module_name(name)}.py" for name in pages],
        [env.fs.File(f"{folder}/{name}") for name in names],
        step(env, "TEMPLATE", _compile, uses=["jinja2"], folder=Path(folder), pages=pages),
    )


def _compile(targets: list[Path], sources: list[Path], folder: Path, pages: list[str]) -> str:
    from viper.templates.compiler import compile_folder

    modules = compile_folder(folder, pages)
    for target in targets:
        atomic_file.write(target, modules[target.stem].encode())
    return f"templates  {len(targets)} compiled from {len(sources)}"
