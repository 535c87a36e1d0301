"""The file system image as a node.

Adds to the environment:
    env.VfsImage(files)  build/<BOARD>/vfs.img and vfs.json: the files that files.json lists
"""

import json
from pathlib import Path

from viper.base.console import human_size
from viper.image import partition_table


def exists(env):
    return True


def generate(env):
    env.AddMethod(image, "VfsImage")


def image(env, files):
    board = env["BOARD_TOML"]
    build = env["BUILD_DIR"]
    made = env.Command(
        [f"{build}/vfs.img", f"{build}/vfs.json"],
        [str(board.partitions), files],
        env.Step(
            "VFS",
            _image,
            uses=["pyfatfs", "littlefs-python"],
            fs=board.fs,
            flash_size=board.flash_size,
        ),
    )
    return {"image": made[0], "index": made[1]}


def _image(targets, sources, fs, flash_size):
    from viper.image import vfs_image

    csv, index = sources
    partition = partition_table.load(csv, flash_size)["vfs"]
    files = json.loads(index.read_text(encoding="utf-8"))["files"]
    paths = {path: Path(file["source"]) for path, file in files.items()}
    seeds = [path for path, file in files.items() if file.get("seed")]
    vfs_image.write(*targets, paths, fs=fs, size=partition.size, seeds=seeds)
    used = sum(file["size"] for file in files.values())
    return f"vfs.img  {len(files)} files, {human_size(used)} of {human_size(partition.size)}"
