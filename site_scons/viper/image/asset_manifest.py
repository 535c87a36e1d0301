# SPDX-License-Identifier: MIT
"""The manifest of the web assets: what ships, under which name, and with which digests.

www.json is `{"compressed": "...", "assets": [...]}`, the assets sorted by path, each being

    {"path": "css/app.css", "content_type": "text/css; charset=utf-8",
     "source": "assets/www/css/app.css", "size": 4096, "sha256": "...", "etag": "\\"...\\"",
     "gzip": {"source": "build/.../css/app.css.gz", "size": 1210, "sha256": "...", "etag": ...}}

where "gzip" is there only if a compressed sibling ships, and "compressed" tells how: one that was
made in the same way of the same content need not be made again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from viper.base import atomic_file
from viper.base.errors import UserError
from viper.image import fat_names, gzip_asset

CONTENT_TYPES = {
    ".bin": "application/octet-stream",
    ".bmp": "image/bmp",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".gif": "image/gif",
    ".gz": "application/gzip",
    ".htm": "text/html; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
    ".zip": "application/zip",
}
DEFAULT_CONTENT_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class File:
    """A file that ships, as it was read or made."""

    source: str  # relative to the project's root
    size: int
    sha256: str


@dataclass(frozen=True)
class Asset:
    """One file of the site."""

    path: str  # below the site's root, "/" between its parts
    file: File
    compressed: File | None = None  # its sibling, if one ships


def content_type(path: str) -> str:
    """The Content-Type of a file of this name."""
    return CONTENT_TYPES.get(gzip_asset.suffix(path), DEFAULT_CONTENT_TYPE)


def write(target: Path, assets: Sequence[Asset], how: str) -> None:
    """Write www.json, a line to each asset.

    Args:
        assets: sorted by path.
        how: what the compressed siblings depend on besides content.
    """
    lines = ",\n".join(json.dumps(_entry(asset), ensure_ascii=False) for asset in assets)
    text = f'{{"compressed": {json.dumps(how)}, "assets": [\n{lines}\n]}}\n'
    atomic_file.write(target, text.encode())


def read(manifest: Path) -> tuple[str, dict[str, Asset]]:
    """What was written: how it was compressed, and each asset by its path.

    Raises:
        OSError, ValueError, KeyError, TypeError: there is none that can be read.
    """
    document = json.loads(manifest.read_bytes())
    assets = {}
    for entry in document["assets"]:
        gzip = entry.get("gzip")
        assets[entry["path"]] = Asset(
            entry["path"],
            File(entry["source"], entry["size"], entry["sha256"]),
            gzip and File(gzip["source"], gzip["size"], gzip["sha256"]),
        )
    return document["compressed"], assets


def shipped(manifest: Path) -> dict[str, File]:
    """All files that ship, compressed siblings included, by path below the site's root."""
    files = {}
    for path, asset in read(manifest)[1].items():
        files[path] = asset.file
        if asset.compressed:
            files[path + gzip_asset.SUFFIX] = asset.compressed
    return files


def check_names(sources: Mapping[str, str], siblings: Iterable[str]) -> None:
    """See that all that ships can have its name.

    Args:
        sources: the file of each asset, by its path.
        siblings: the paths of all assets that may have a compressed sibling.

    Raises:
        UserError: a name that FAT cannot hold, or that a compressed sibling takes.
    """
    names = [path + gzip_asset.SUFFIX for path in siblings]
    for name in names:
        if name in sources:
            raise UserError(
                f"{sources[name]}: its name belongs to the compressed "
                f"{name.removesuffix(gzip_asset.SUFFIX)}",
                "remove or rename it",
            )
    fat_names.check([*sources, *names])


def _entry(asset: Asset) -> dict[str, Any]:
    entry = {
        "path": asset.path, "content_type": content_type(asset.path), **_described(asset.file)
    }  # fmt: skip
    if asset.compressed:
        entry["gzip"] = _described(asset.compressed)
    return entry


def _described(file: File) -> dict[str, Any]:
    return {
        "source": file.source,
        "size": file.size,
        "sha256": file.sha256,
        "etag": f'"{file.sha256[:16]}"',  # 64 bits tell any two versions of a file apart
    }
