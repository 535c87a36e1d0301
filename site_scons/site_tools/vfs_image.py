"""The file system image as a node.

Adds to the environment:
    env.VfsImage(site, templates, application)  build/<BOARD>/vfs.img and vfs.json: the assets that
                                                `site`, a manifest, lists at /www, the compiled
                                                templates, the files of a folder at /
"""

import os
from pathlib import Path

from viper import asset_manifest, partition_table
from viper.console import human_size


def exists(env):
    return True


def generate(env):
    env.AddMethod(image, "VfsImage")


def image(env, site, templates, application):
    board = env["BOARD_TOML"]
    build = env["BUILD_DIR"]
    files = sorted(
        Path(parent, name).as_posix()
        for parent, _, names in os.walk(application)
        for name in names
        if name.endswith(".py")
    )
    made = env.Command(
        [f"{build}/vfs.img", f"{build}/vfs.json"],
        [str(board.partitions), site, *templates, *map(env.fs.File, files)],
        env.Step(
            "VFS",
            _image,
            uses=["pyfatfs", "littlefs-python"],
            application=Path(application),
            templates=len(templates),
            fs=board.fs,
            flash_size=board.flash_size,
        ),
    )
    return {"image": made[0], "index": made[1]}


def _image(targets, sources, application, templates, fs, flash_size):
    from viper import vfs_image

    csv, site, *files = sources
    compiled, files = files[:templates], files[templates:]
    partition = partition_table.load(csv, flash_size)["vfs"]
    folders = {
        vfs_image.SITE: asset_manifest.shipped(site),
        "/templates": {path.name: path for path in compiled},
        "/": {path.relative_to(application).as_posix(): path for path in files},
    }
    everything = vfs_image.merge(folders)
    vfs_image.write(*targets, everything, fs=fs, size=partition.size)
    used = sum(path.stat().st_size for path in everything.values())
    return f"vfs.img  {len(everything)} files, {human_size(used)} of {human_size(partition.size)}"
