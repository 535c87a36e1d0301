# SPDX-License-Identifier: MIT
"""The application's templates as nodes: Jinja in, Python for the device out.

Adds to the environment:
    env.Templates(folder)  build/<BOARD>/templates/*.py
"""

from __future__ import annotations

from pathlib import Path

from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.base import atomic_file
from viper.source.tree import Tree
from viper.templates.names import is_part, module_name


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Templates", templates)


def templates(env: Environment, folder: str) -> list[Node]:
    run = env["RUN"]
    tree = run.trees.find(folder) if Path(folder).is_dir() else Tree({})
    pages = [path[len(folder) + 1 :] for path in tree.files if not is_part(path)]
    if not pages:
        return []
    return env.Command(
        [f"{run.folder}/templates/{module_name(name)}.py" for name in pages],
        [],
        step(
            env,
            "TEMPLATE",
            _compile,
            uses=["jinja2"],
            folder=folder,
            tree=tree,
            how={"pages": pages},
        ),
    )


def _compile(
    targets: list[Path], sources: list[Path], folder: str, tree: Tree, pages: list[str]
) -> str:
    from viper.templates.compiler import compile_folder

    modules = compile_folder(Path(folder), pages)
    for target in targets:
        atomic_file.write(target, modules[target.stem].encode())
    for other in set(targets[0].parent.iterdir()) - set(targets):
        other.unlink()  # of a template that is gone
    return f"templates  {len(targets)} compiled from {len(tree.files)}"
