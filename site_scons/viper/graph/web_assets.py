# SPDX-License-Identifier: MIT
"""The web assets made ready to ship: compressed on all cores, and only those that differ.

www.json tells what was made of which content; what is not told there, or is not there as it was
made, is compressed. A developer of a thousand pages who edits one waits for one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from viper.base import atomic_file
from viper.base.contents import Contents
from viper.base.errors import UserError
from viper.image import asset_manifest, gzip_asset
from viper.image.asset_manifest import Asset, File
from viper.source.board import GzipSettings
from viper.source.tree import Tree


class Shared(Protocol):
    """What other clones have made."""

    def take(self, key: str, target: Path) -> bool:
        """Whether `target` was written from what is kept under a key."""
        raise NotImplementedError

    def put(self, content: Path, key: str) -> None:
        """Keep a file under a key."""


@dataclass(frozen=True)
class Site:
    """A folder of assets, and how they are compressed.

    Attributes:
        folder: relative to the project's root.
        compressed: the folder of the .gz siblings.
        how: what else a sibling depends on: the code that makes it.
    """

    folder: str
    compressed: Path
    gzip: GzipSettings
    how: str

    @property
    def made_with(self) -> str:
        """What siblings depend on besides content."""
        return f"{self.how} {self.gzip.enabled} {self.gzip.level} {self.gzip.min_size}"

    def sibling(self, path: str) -> str:
        """Where the sibling of an asset is, if it may have one; else empty."""
        if not (self.gzip.enabled and gzip_asset.is_compressible(path)):
            return ""
        return f"{self.compressed}/{path}{gzip_asset.SUFFIX}"

    def key(self, digest: str) -> str:
        """Under which the sibling of some content is shared."""
        return hashlib.sha256(f"{self.made_with} {digest}".encode()).hexdigest()[:32]


def update(
    manifest: Path,
    site: Site,
    tree: Tree,
    contents: Contents,
    *,
    jobs: int,
    shared: Shared | None,
    tell: Callable[[str, int, int], None],
) -> list[Asset]:
    """Bring www.json and the siblings up to date.

    Args:
        manifest: www.json as it was last made, or not there.
        tree: the files of the folder.
        jobs: how many are compressed at once.
        tell: called with the path, the size and the compressed size (0 if it ships as it is) of
            each that was compressed.

    Returns:
        All assets, sorted by path.

    Raises:
        UserError: a name that cannot ship, or a file has gone meanwhile.
        OSError: a file cannot be read or written.
    """
    sources = {source[len(site.folder) + 1 :]: source for source in tree.files}
    may_have_one = {path: sibling for path in sources if (sibling := site.sibling(path))}
    asset_manifest.check_names(sources, may_have_one)
    made_with, before = _before(manifest)
    if made_with != site.made_with:
        before = {}
    assets: dict[str, Asset] = {}
    waiting: list[tuple[str, str, str]] = []
    for path, source in sources.items():
        digest = tree.files[source]
        known = before.get(path)
        if known is not None and known.file.sha256 == digest and _stands(known, contents):
            assets[path] = known
        else:
            waiting.append((path, source, digest))

    # What stands where a folder is to be now, or the other way round, goes first.
    _remove_others(site.compressed, set(may_have_one.values()))

    def make(item: tuple[str, str, str]) -> tuple[Asset, bool]:
        path, source, digest = item
        return _made(site, path, source, digest, contents, shared)

    with ThreadPoolExecutor(jobs) as pool:
        for asset, is_new in pool.map(make, waiting):
            assets[asset.path] = asset
            if is_new:
                tell(asset.path, asset.file.size, asset.compressed.size if asset.compressed else 0)
    ordered = [assets[path] for path in sorted(assets)]
    asset_manifest.write(manifest, ordered, site.made_with)
    _remove_others(
        site.compressed, {asset.compressed.source for asset in ordered if asset.compressed}
    )
    return ordered


def siblings(assets: list[Asset]) -> Iterator[Path]:
    """The compressed siblings that ship."""
    return (Path(asset.compressed.source) for asset in assets if asset.compressed)


def restore(manifest: Path, site: Site, contents: Contents, shared: Shared) -> list[Path] | None:
    """Have the siblings that a www.json from elsewhere tells of; None if one cannot be had."""
    try:
        _, assets = asset_manifest.read(manifest)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    for asset in assets.values():
        if asset.compressed and not _stands(asset, contents):
            target = Path(asset.compressed.source)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not shared.take(site.key(asset.file.sha256), target):
                return None
    return list(siblings(list(assets.values())))


def _before(manifest: Path) -> tuple[str, dict[str, Asset]]:
    try:
        return asset_manifest.read(manifest)
    except (OSError, ValueError, KeyError, TypeError):
        return "", {}


def _stands(asset: Asset, contents: Contents) -> bool:
    """Whether its sibling is there as it was made."""
    if asset.compressed is None:
        return True
    try:
        return contents.digest(asset.compressed.source) == asset.compressed.sha256
    except OSError:
        return False


def _made(
    site: Site, path: str, source: str, digest: str, contents: Contents, shared: Shared | None
) -> tuple[Asset, bool]:
    """An asset with its sibling, and whether that was compressed here and now."""
    try:
        data, digest = contents.content(source)
    except FileNotFoundError:
        raise UserError(f"{source} has gone while it was read", "the same again") from None
    file = File(source, len(data), digest)
    sibling = site.sibling(path)
    if not sibling:
        return Asset(path, file), False
    target = Path(sibling)
    target.parent.mkdir(parents=True, exist_ok=True)
    key = site.key(digest)
    is_new = shared is None or not shared.take(key, target)
    if is_new:
        compressed = gzip_asset.shrunk(data, site.gzip.level, site.gzip.min_size)
        if not compressed:
            return Asset(path, file), True
        atomic_file.write(target, compressed)
        if shared is not None:
            shared.put(target, key)
    compressed, made = contents.content(sibling)
    return Asset(path, file, File(sibling, len(compressed), made)), is_new


def _remove_others(folder: Path, wanted: set[str]) -> None:
    """Remove what assets have left that are gone, and the folders that are empty then."""
    for parent, folders, names in os.walk(folder, topdown=False):
        for name in names:
            if f"{parent}/{name}" not in wanted:
                Path(parent, name).unlink()
        for name in folders:
            with suppress(OSError):  # it is not empty
                Path(parent, name).rmdir()
