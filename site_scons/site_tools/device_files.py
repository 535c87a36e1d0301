"""The files of a device as a node: all that its file system is to hold, and nothing of flash.

Adds to the environment:
    env.DeviceFiles(site, templates, application, seeds)
        build/<BOARD>/files.json: the assets that `site`, a manifest, lists at /www, the compiled
        templates, and at / the Python of the folder `application` and the files of the folder
        `seeds`, which are placed only where nothing is: the application writes them itself
"""

import os
from pathlib import Path

from viper.base.console import human_size
from viper.image import asset_manifest


def exists(env):
    return True


def generate(env):
    env.AddMethod(files, "DeviceFiles")


def files(env, site, templates, application, seeds):
    sources = [path for path in _below(application) if path.endswith(".py")] + _below(seeds)
    made = env.Command(
        f"{env['BUILD_DIR']}/files.json",
        [site, *templates, *map(env.fs.File, sources)],
        env.Step(
            "FILES",
            _list,
            application=Path(application),
            seeds=Path(seeds),
            templates=len(templates),
            board=env["BOARD_TOML"],
        ),
    )
    return made[0]


def _below(folder):
    return sorted(
        Path(parent, name).as_posix() for parent, _, names in os.walk(folder) for name in names
    )


def _list(targets, sources, application, seeds, templates, board):
    from viper.image import device_files

    site, *files = sources
    compiled, files = files[:templates], files[templates:]
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


def _at(folder, files):
    """The files of a folder by their path below it."""
    return {path.relative_to(folder).as_posix(): path for path in files if folder in path.parents}
