# SPDX-License-Identifier: MIT
"""The file system image as a node.

Adds to the environment:
    env.VfsImage(files)  build/<BOARD>/vfs.img and vfs.json: the files that files.json lists
"""

from __future__ import annotations

import json
from pathlib import Path

from toolkit.nodes import Image
from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.base.console import human_size
from viper.image import partition_table


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "VfsImage", image)


def image(env: Environment, files: Node) -> Image:
    board, build = env["RUN"].board, env["RUN"].folder
    made = env.Command(
        [f"{build}/vfs.img", f"{build}/vfs.json"],
        [str(board.partitions), files],
        step(
            env,
            "VFS",
            _image,
            uses=["pyfatfs", "littlefs-python"],
            fs=board.fs,
            flash_size=board.flash_size,
            chip=board.chip,
        ),
    )
    return Image(image=made[0], index=made[1])


def _image(targets: list[Path], sources: list[Path], fs: str, flash_size: int, chip: str) -> str:
    from viper.image import vfs_image

    csv, listing = sources
    image, index = targets
    partition = partition_table.load(csv, flash_size, chip)["vfs"]
    files = json.loads(listing.read_text(encoding="utf-8"))["files"]
    paths = {path: Path(file["source"]) for path, file in files.items()}
    seeds = [path for path, file in files.items() if file.get("seed")]
    vfs_image.write(image, index, paths, fs=fs, size=partition.size, seeds=seeds)
    used = sum(file["size"] for file in files.values())
    return f"vfs.img  {len(files)} files, {human_size(used)} of {human_size(partition.size)}"
