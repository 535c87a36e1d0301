# SPDX-License-Identifier: MIT
"""What a device's file system is to hold: files.json, a flash image that has no parts.

    {"format": 1, "board": "VIRTUAL_N16R8", "chip": "esp32s3", "flash_size": 16777216,
     "psram_size": 8388608, "parts": [],
     "files": {"/www/index.html": {"size": 812, "sha256": "...", "source": "assets/..."}, ...}}

A file with "seed": true is placed only where nothing is, and the user's from then on.

It is all that a sync needs: see viper.image.flash_image for the form.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from viper.base import atomic_file, formats
from viper.base.errors import UserError
from viper.image import fat_names
from viper.image.asset_manifest import File
from viper.source.board import Hardware

FORMAT = 1  # of flash.json too
SITE = "/www"  # the folder on the device that is the web site's alone


def merge(folders: Mapping[str, Mapping[str, File]]) -> dict[str, File]:
    """Files by device path, from several origins.

    Args:
        folders: by folder on the device ("/www"), files by path below it.

    Raises:
        UserError: two files want one device path.
    """
    files: dict[str, File] = {}
    for folder, sources in folders.items():
        for path, file in sources.items():
            device_path = f"{folder.rstrip('/')}/{path}"
            if device_path in files:
                raise UserError(
                    f"{file.source} and {files[device_path].source} are both {device_path} on the "
                    "device",
                    "remove or rename one of them",
                )
            files[device_path] = file
    return files


def write(
    index: Path, files: Mapping[str, File], board: Hardware, seeds: Collection[str] = ()
) -> None:
    """Write files.json.

    Args:
        files: by device path; sources are relative to the project's root.
        seeds: the paths of those that are placed only where nothing is.

    Raises:
        UserError: a name that the device cannot hold.
    """
    fat_names.check(files)  # for littlefs too: a site should not depend on the board's choice
    head = json.dumps(
        {
            "format": FORMAT,
            "board": board.name,
            "chip": board.chip,
            "flash_size": board.flash_size,
            "psram_size": board.psram_size,
            "parts": [],
        }
    )
    lines = ",\n".join(
        f"{json.dumps(path)}: {json.dumps(_entry(file, path in seeds))}"
        for path, file in sorted(files.items())
    )
    atomic_file.write(index, f'{head[:-1]}, "files": {{\n{lines}\n}}}}\n'.encode())


def read(index: Path) -> dict[str, bytes]:
    """The content of each file that an index lists, by device path.

    Raises:
        UserError: the index is of another format, or a file is not what was listed any more.
    """
    return {path: _content(entry) for path, entry in _listed(index).items()}


def seeds(index: Path) -> list[str]:
    """The paths of those that are placed only where nothing is.

    Raises:
        UserError: the index is of another format.
    """
    return [path for path, entry in _listed(index).items() if entry.get("seed")]


def _listed(index: Path) -> dict[str, dict[str, Any]]:
    record = json.loads(index.read_text(encoding="utf-8"))
    formats.check(index, record, FORMAT, "make it again: ./scons image")
    listed: dict[str, dict[str, Any]] = record["files"]
    return listed


def _content(entry: Mapping[str, Any]) -> bytes:
    content = Path(entry["source"]).read_bytes()
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise UserError(
            f"{entry['source']} was changed while it was built in",
            "the same again takes it as it is now",
        )
    return content


def _entry(file: File, is_seed: bool) -> dict[str, Any]:
    entry = {"size": file.size, "sha256": file.sha256, "source": file.source}
    return {**entry, "seed": True} if is_seed else entry
