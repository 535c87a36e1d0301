"""The image of the partition `vfs`: the site, the application, and a record of what is in it.

Beside vfs.img lies vfs.json:

    {"used": [[first sector, count], ...],
     "files": {"/www/index.html": {"size": 812, "sha256": "...", "source": "assets/..."}, ...}}
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from viper import atomic_file, fat_image, fat_names, littlefs_image
from viper.errors import UserError

SITE = "/www"  # the folder on the device that is the web site's alone


def merge(folders: Mapping[str, Mapping[str, Path]]) -> dict[str, Path]:
    """Source files by device path, from several origins.

    Args:
        folders: by folder on the device ("/www"), source files by path below it.

    Raises:
        UserError: two sources want one device path.
    """
    files: dict[str, Path] = {}
    for folder, sources in folders.items():
        for path, source in sources.items():
            device_path = f"{folder.rstrip('/')}/{path}"
            if device_path in files:
                raise UserError(
                    f"{source} and {files[device_path]} are both {device_path} on the device",
                    "remove or rename one of them",
                )
            files[device_path] = source
    return files


def write(image: Path, index: Path, files: Mapping[str, Path], *, fs: str, size: int) -> None:
    """Write vfs.img and vfs.json.

    Args:
        image: where vfs.img goes.
        index: where vfs.json goes.
        files: source files, relative to the project's root, by device path.
        fs: one of `board.FILE_SYSTEMS`.
        size: bytes of the partition.

    Raises:
        UserError: a name that the device cannot hold, or more than fits.
    """
    fat_names.check(files)  # for littlefs too: a site should not depend on the board's choice
    contents = {path: source.read_bytes() for path, source in files.items()}
    build = {"fat": fat_image.build, "littlefs": littlefs_image.build}[fs]
    built = build(contents, size)
    record = {
        path: {
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "source": files[path].as_posix(),
        }
        for path, content in contents.items()
    }
    atomic_file.write(image, built.data)
    atomic_file.write_json(index, {"used": built.used, "files": record})
