# SPDX-License-Identifier: MIT
"""The manifest of the web assets: what ships, under which name, and with which digests.

www.json is `{"assets": [...]}`, sorted by path, each asset being

    {"path": "css/app.css", "content_type": "text/css; charset=utf-8",
     "source": "assets/www/css/app.css", "size": 4096, "sha256": "...", "etag": "\\"...\\"",
     "gzip": {"source": "build/.../css/app.css.gz", "size": 1210, "sha256": "...", "etag": ...}}

where "gzip" is there only if a compressed sibling ships.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
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
class Asset:
    """One file of the site, before it is known whether its compressed sibling ships."""

    path: str  # below the site's root, "/" between its parts
    source: Path  # relative to the project's root
    compressed: Path | None = None  # what `gzip_asset.write` wrote; None when it was not asked to


def content_type(path: str) -> str:
    """The Content-Type of a file of this name."""
    return CONTENT_TYPES.get(PurePosixPath(path).suffix.lower(), DEFAULT_CONTENT_TYPE)


def build(assets: Iterable[Asset]) -> dict[str, Any]:
    """The manifest of `assets`.

    Raises:
        UserError: a name that FAT cannot hold, or that a compressed sibling takes.
    """
    ordered = sorted(assets, key=lambda asset: asset.path)
    _check_names(ordered)
    entries = []
    for asset in ordered:
        entry: dict[str, Any] = {
            "path": asset.path,
            "content_type": content_type(asset.path),
            **_describe(asset.source, asset.source.read_bytes()),
        }
        if asset.compressed:
            compressed = asset.compressed.read_bytes()
            if compressed:  # an empty one does not ship
                entry["gzip"] = _describe(asset.compressed, compressed)
        entries.append(entry)
    return {"assets": entries}


def write(target: Path, assets: Iterable[Asset]) -> None:
    """Write www.json.

    Raises:
        UserError: as `build`.
    """
    atomic_file.write_json(target, build(assets))


def shipped(manifest: Path) -> dict[str, Path]:
    """All files that ship, compressed siblings included: source by path below the site's root."""
    files = {}
    for entry in json.loads(manifest.read_text(encoding="utf-8"))["assets"]:
        files[entry["path"]] = Path(entry["source"])
        if "gzip" in entry:
            files[entry["path"] + gzip_asset.SUFFIX] = Path(entry["gzip"]["source"])
    return files


def _check_names(assets: list[Asset]) -> None:
    sources = {asset.path: asset.source for asset in assets}
    siblings = [asset.path + gzip_asset.SUFFIX for asset in assets if asset.compressed]
    for sibling in siblings:
        if sibling in sources:
            raise UserError(
                f"{sources[sibling]}: its name belongs to the compressed "
                f"{sibling.removesuffix(gzip_asset.SUFFIX)}",
                "remove or rename it",
            )
    fat_names.check([*sources, *siblings])


def _describe(source: Path, data: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    return {
        "source": source.as_posix(),
        "size": len(data),
        "sha256": digest,
        "etag": f'"{digest[:16]}"',  # 64 bits tell any two versions of a file apart
    }
