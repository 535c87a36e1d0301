"""The web assets as nodes: one .gz per compressible asset, and a manifest that says what ships.

Adds to the environment:
    env.WebAssets(folder)  build/<BOARD>/www.json; the .gz siblings are in build/<BOARD>/www/
"""

import os
from pathlib import Path

from viper.base.console import human_size
from viper.base.errors import UserError, exits
from viper.image import asset_manifest, gzip_asset


def exists(env):
    return True


def generate(env):
    env.AddMethod(exits(web_assets), "WebAssets")


def web_assets(env, folder):
    gzip = env["BOARD_TOML"].gzip
    compressed = f"{env['BUILD_DIR']}/www"
    compress = env.Step(
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
        f"{env['BUILD_DIR']}/www.json",
        [*(env.fs.File(f"{folder}/{path}") for path in assets), *siblings],
        env.Step(
            "ASSETS",
            _list,
            folder=Path(folder),
            compressed=Path(compressed),
        ),
    )
    env.Clean(manifest, compressed)
    return manifest


def _files(folder):
    """All files below a folder, by their path in it, sorted."""
    if not Path(folder).is_dir():
        raise UserError(f"{folder}: there is no such folder", f"git checkout {folder}")
    paths = []
    for parent, _, names in os.walk(folder):
        below = os.path.relpath(parent, folder)
        paths += names if below == "." else [f"{below}/{name}" for name in names]
    for path in paths:
        # A link that leads nowhere cannot be read, and reading a pipe would never end.
        if not Path(folder, path).is_file():
            raise UserError(f"{folder}/{path} is not a regular file", "remove it, or mend the link")
    return sorted(paths)


def _compress(targets, sources, compressed, level, min_size):
    size, shrunk = gzip_asset.write(sources[0], targets[0], level, min_size)
    figure = (
        f"{human_size(size)} → {human_size(shrunk)}" if shrunk else f"{human_size(size)}, as is"
    )
    return f"{targets[0].relative_to(compressed).with_suffix('')}  {figure}"


def _list(targets, sources, folder, compressed):
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


def _sibling(path, compressed, siblings):
    sibling = compressed / f"{path}{gzip_asset.SUFFIX}"
    return sibling if sibling in siblings else None
