# SPDX-License-Identifier: MIT
"""The web assets as one node, whose step makes only what differs: the compressed siblings of the
assets, and a manifest that says what ships.

Adds to the environment:
    env.WebAssets(folder)  build/<BOARD>/www.json; the .gz siblings are in build/<BOARD>/www/
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from toolkit import scons
from toolkit.scons import Environment, Node
from toolkit.step import Made, step
from toolkit.tool import provide
from viper.base import console
from viper.base.console import human_size
from viper.base.contents import Contents
from viper.graph import web_assets
from viper.graph.fingerprint import fingerprint, parts
from viper.graph.web_assets import Shared, Site
from viper.image import gzip_asset
from viper.source.board import GzipSettings
from viper.source.tree import Tree


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "WebAssets", assets)


def assets(env: Environment, folder: str) -> Node:
    run = env["RUN"]
    compressed = run.folder / "www"
    how = fingerprint(parts(gzip_asset.shrunk, ["zlib-ng"]))
    site = Site(folder, compressed, run.board.gzip, how)
    manifest = env.Command(
        f"{run.folder}/www.json",
        [],
        step(
            env,
            "ASSETS",
            _update,
            uses=["zlib-ng"],
            gzip=run.board.gzip,
            tree=run.trees.find(folder),
            besides=partial(_restore, site, run.contents, run.shared),
            how={
                "site": site,
                "contents": run.contents,
                "shared": run.shared,
                "jobs": scons.jobs(),
            },
        ),
    )
    env.Precious(manifest)  # it tells which siblings may stay
    env.Clean(manifest, str(compressed))
    return manifest[0]


def _update(
    targets: list[Path],
    sources: list[Path],
    gzip: GzipSettings,
    tree: Tree,
    site: Site,
    contents: Contents,
    shared: Shared | None,
    jobs: int,
) -> Made:
    made = web_assets.update(targets[0], site, tree, contents, jobs=jobs, shared=shared, tell=_tell)
    siblings = list(web_assets.siblings(made))
    line = f"{targets[0].name}  {len(made)} assets, {len(made) + len(siblings)} files to ship"
    return Made(
        line,
        besides=siblings,
        is_of_known_inputs=all(
            asset.file.sha256 == tree.files[asset.file.source] for asset in made
        ),
    )


def _tell(path: str, size: int, shrunk: int) -> None:
    figure = (
        f"{human_size(size)} → {human_size(shrunk)}" if shrunk else f"{human_size(size)}, as is"
    )
    console.step("GZIP", f"{path}  {figure}")


def _restore(
    site: Site, contents: Contents, shared: Shared | None, manifest: Path
) -> list[Path] | None:
    return None if shared is None else web_assets.restore(manifest, site, contents, shared)
