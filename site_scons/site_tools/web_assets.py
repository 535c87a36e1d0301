# SPDX-License-Identifier: MIT
"""The web assets as nodes: one .gz per compressible asset, and a manifest that says what ships.

Adds to the environment:
    env.WebAssets(folder)  build/<BOARD>/www.json; the .gz siblings are in build/<BOARD>/www/
"""

from __future__ import annotations

import os
from pathlib import Path

from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.base.console import human_size
from viper.base.errors import UserError
from viper.image import asset_manifest, gzip_asset


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "WebAssets", web_assets)


def web_assets(env: Environment, folder: str) -> Node:
    run = env["RUN"]
    gzip, build = run.board.gzip, run.folder
    compressed = f"{build}/www"
    compress = step(
        env,
        "GZIP",
        _compress,
        uses=["zlib-ng"],
        compressed=Path(compressed),
        level=gzip.level,
        min_size=gzip.min_size,
    )
    assets = _files(folder)
    builder = env.Builder(action=compress)
    siblings = [
        builder(
            env,
            env.fs.File(f"{compressed}/{path}{gzip_asset.SUFFIX}"),
            env.fs.File(f"{folder}/{path}"),
        )
        for path in assets
        if gzip.enabled and gzip_asset.is_compressible(path)
    ]
    manifest = env.Command(
        f"{build}/www.json",
        [*[env.fs.File(f"{folder}/{path}") for path in assets], *siblings],
        step(env, "ASSETS", _list, folder=Path(folder), compressed=Path(compressed)),
    )
    env.Clean(manifest, compressed)
    return manifest[0]


def _files(folder: str) -> list[str]:
    """All files below a folder, by their path in it, sorted."""
    if not Path(folder).is_dir():
        raise UserError(f"{folder}: there is no such folder", f"git checkout {folder}")
    paths: list[str] = []
    for parent, _, names in os.walk(folder):
        below = os.path.relpath(parent, folder)
        paths += names if below == "." else [f"{below}/{name}" for name in names]
    for path in paths:
        # A link that leads nowhere cannot be read, and reading a pipe would never end.
        if not Path(folder, path).is_file():
            raise UserError(f"{folder}/{path} is not a regular file", "remove it, or mend the link")
    return sorted(paths)


def _compress(
    targets: list[Path], sources: list[Path], compressed: Path, level: int, min_size: int
) -> str:
    size, shrunk = gzip_asset.write(sources[0], targets[0], level, min_size)
    figure = (
        f"{human_size(size)} → {human_size(shrunk)}" if shrunk else f"{human_size(size)}, as is"
    )
    return f"{targets[0].relative_to(compressed).with_suffix('')}  {figure}"


def _list(targets: list[Path], sources: list[Path], folder: Path, compressed: Path) -> str:
    siblings = {path for path in sources if compressed in path.parents}
    assets = [
        asset_manifest.Asset(path.relative_to(folder).as_posix(), path, sibling)
        for path in sources
        if path not in siblings
        for sibling in [_sibling(path.relative_to(folder), compressed, siblings)]
    ]
    asset_manifest.write(targets[0], assets)
    for path in compressed.rglob("*"):
        if path.is_file() and path not in siblings:
            path.unlink()  # its asset is gone
    shipped = asset_manifest.shipped(targets[0])
    return f"{targets[0].name}  {len(assets)} assets, {len(shipped)} files to ship"


def _sibling(path: Path, compressed: Path, siblings: set[Path]) -> Path | None:
    sibling = compressed / f"{path}{gzip_asset.SUFFIX}"
    return sibling if sibling in siblings else None
