# SPDX-License-Identifier: MIT
"""The file system image as a node.

Adds to the environment:
    env.VfsImage(files)  build/<BOARD>/vfs.img and vfs.json: the files that files.json lists
"""

from __future__ import annotations

from pathlib import Path

from toolkit.nodes import Image
from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.base.console import human_size


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
    from viper.image import device_files, partition_table, vfs_image

    csv, listing = sources
    image, index = targets
    partition = partition_table.load(csv, flash_size, chip)["vfs"]
    contents = device_files.read(listing)
    seeds = device_files.seeds(listing)
    vfs_image.write(image, index, contents, fs=fs, size=partition.size, seeds=seeds)
    used = sum(map(len, contents.values()))
    return f"vfs.img  {len(contents)} files, {human_size(used)} of {human_size(partition.size)}"
