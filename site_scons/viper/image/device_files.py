# SPDX-License-Identifier: MIT
"""What a device's file system is to hold: files.json, a flash image that has no parts.

    {"board": "VIRTUAL_N16R8", "chip": "esp32s3", "flash_size": 16777216, "psram_size": 8388608,
     "parts": [],
     "files": {"/www/index.html": {"size": 812, "sha256": "...", "source": "assets/..."}, ...}}

A file with "seed": true is placed only where nothing is, and the user's from then on.

It is all that a sync needs: see viper.image.flash_image for the form.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from viper.base import atomic_file
from viper.base.errors import UserError
from viper.image import fat_names
from viper.source.board import Board

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


def write(
    index: Path, files: Mapping[str, Path], board: Board, seeds: Collection[str] = ()
) -> dict[str, dict[str, Any]]:
    """Write files.json.

    Args:
        files: source files, relative to the project's root, by device path.
        seeds: the paths of those that are placed only where nothing is.

    Returns:
        What it says of each file.

    Raises:
        UserError: a name that the device cannot hold.
    """
    fat_names.check(files)  # for littlefs too: a site should not depend on the board's choice
    contents = {path: source.read_bytes() for path, source in files.items()}
    listed: dict[str, dict[str, Any]] = {
        path: {
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "source": files[path].as_posix(),
            **({"seed": True} if path in seeds else {}),
        }
        for path, content in contents.items()
    }
    atomic_file.write_json(
        index,
        {
            "board": board.name,
            "chip": board.chip,
            "flash_size": board.flash_size,
            "psram_size": board.psram_size,
            "parts": [],
            "files": listed,
        },
    )
    return listed
