"""The files of a device as a node: all that its file system is to hold, and nothing of flash.

Adds to the environment:
    env.DeviceFiles(site, templates, application)  build/<BOARD>/files.json: the assets that `site`,
                                                   a manifest, lists at /www, the compiled
                                                   templates, the files of a folder at /
"""

from __future__ import annotations

import os
from pathlib import Path

from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.base.console import human_size
from viper.image import asset_manifest
from viper.source.board import Board


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "DeviceFiles", files)


def files(env: Environment, site: Node, templates: list[Node], application: str) -> Node:
    run = env["RUN"]
    sources = sorted(
        Path(parent, name).as_posix()
        for parent, _, names in os.walk(application)
        for name in names
        if name.endswith(".py")
    )
    made = env.Command(
        f"{run.folder}/files.json",
        [site, *templates, *map(env.fs.File, sources)],
        step(
            env,
            "FILES",
            _list,
            uses=["mpy-cross"],
            application=Path(application),
            templates=len(templates),
            board=run.board,
        ),
    )
    return made[0]


def _list(
    targets: list[Path], sources: list[Path], application: Path, templates: int, board: Board
) -> str:
    from viper.image import device_files, python_check

    site, *files = sources
    compiled, files = files[:templates], files[templates:]
    python_check.check(files, board.firmware)
    folders = {
        device_files.SITE: asset_manifest.shipped(site),
        "/templates": {path.name: path for path in compiled},
        "/": {path.relative_to(application).as_posix(): path for path in files},
    }
    listed = device_files.write(targets[0], device_files.merge(folders), board)
    size = sum(file["size"] for file in listed.values())
    return f"{targets[0].name}  {len(listed)} files, {human_size(size)}"
