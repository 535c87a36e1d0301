# SPDX-License-Identifier: MIT
"""The files of a device as a node: all that its file system is to hold, and nothing of flash.

Adds to the environment:
    env.DeviceFiles(project, site, templates)
        build/<BOARD>/files.json: the assets that `site`, a manifest, lists at /www, the compiled
        templates, and at / the files of the project's application, all but the templates' sources,
        and its seeds, which are placed only where nothing is: the application writes them itself
"""

from __future__ import annotations

from pathlib import Path

from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.application.definition_check import Limits
from viper.base.console import human_size
from viper.base.contents import Contents
from viper.image import asset_manifest
from viper.image.asset_manifest import File
from viper.source import checkout, module_settings
from viper.source.board import Hardware
from viper.source.project import Project
from viper.source.tree import Tree


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "DeviceFiles", files)


def files(env: Environment, project: Project, site: Node, templates: list[Node]) -> Node:
    run = env["RUN"]
    application, seeds = project.application, project.seeds
    sources = f"{project.templates}/"
    tree = run.trees.find(application).without(lambda path: path.startswith(sources))
    settings = module_settings.load(checkout.FOLDER / module_settings.LIST)
    planted = run.trees.find(seeds) if Path(seeds).is_dir() else Tree({})
    made = env.Command(
        f"{run.folder}/files.json",
        [site, *templates],
        step(
            env,
            "FILES",
            _list,
            uses=["mpy-cross"],
            application=application,
            tree=tree,
            seeds=seeds,
            planted=planted,
            firmware=run.board.firmware,
            board=run.board.hardware,
            limits=Limits.of(module_settings.effective(settings, run.board.viperhttp)),
            how={"contents": run.contents},
        ),
    )
    return made[0]


def _list(
    targets: list[Path],
    sources: list[Path],
    application: str,
    tree: Tree,
    seeds: str,
    planted: Tree,
    firmware: str,
    board: Hardware,
    limits: Limits,
    contents: Contents,
) -> str:
    from viper.application import definition_check
    from viper.firmware import python_check
    from viper.image import device_files

    def read(path: str) -> File:
        return File(path, Path(path).stat().st_size, contents.digest(path))

    site, *compiled = sources
    programs = [Path(path) for path in [*tree.files, *planted.files] if path.endswith(".py")]
    python_check.check([*compiled, *programs], firmware)
    definition_check.check(programs, limits)
    folders = {
        device_files.SITE: asset_manifest.shipped(site),
        "/templates": {path.name: read(str(path)) for path in compiled},
        "/": {path[len(application) + 1 :]: read(path) for path in tree.files},
        "": {path[len(seeds) + 1 :]: read(path) for path in planted.files},  # at / too
    }
    listed = device_files.merge(folders)
    names = [path[len(seeds) :] for path in planted.files]
    device_files.write(targets[0], listed, board, seeds=names)
    size = sum(file.size for file in listed.values())
    return f"{targets[0].name}  {len(listed)} files, {human_size(size)}"
