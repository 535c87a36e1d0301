# SPDX-License-Identifier: MIT
"""The manifest says what ships, and refuses names that cannot."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.image import asset_manifest, gzip_asset
from viper.image.asset_manifest import Asset


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Asset]:
    """A project with four assets, of which two compressible ones are compressed."""
    monkeypatch.chdir(tmp_path)
    contents = {
        "index.html": b"<p>" * 1000,
        "css/tiny.css": b"a{}",
        "logo.png": b"\x89PNG" * 500,
        "LICENSE": b"free",
    }
    assets = {}
    for path, content in contents.items():
        source, compressed = Path("assets/www", path), Path("build/www", path + ".gz")
        source.parent.mkdir(parents=True, exist_ok=True)
        compressed.parent.mkdir(parents=True, exist_ok=True)
        source.write_bytes(content)
        if gzip_asset.is_compressible(path):
            gzip_asset.write(source, compressed, 6, 1024)
            assets[path] = Asset(path, source, compressed)
        else:
            assets[path] = Asset(path, source)
    return assets


def test_it_lists_every_asset_by_path(site: dict[str, Asset]) -> None:
    entries = asset_manifest.build(site.values())["assets"]
    assert [(entry["path"], entry["content_type"], entry["size"]) for entry in entries] == [
        ("LICENSE", "application/octet-stream", 4),
        ("css/tiny.css", "text/css; charset=utf-8", 3),
        ("index.html", "text/html; charset=utf-8", 3000),
        ("logo.png", "image/png", 2000),
    ]


def test_digests_are_those_of_the_content(site: dict[str, Asset]) -> None:
    entry = asset_manifest.build([site["index.html"]])["assets"][0]
    digest = hashlib.sha256(b"<p>" * 1000).hexdigest()
    assert entry["sha256"] == digest
    assert entry["etag"] == f'"{digest[:16]}"'
    compressed = Path(entry["gzip"]["source"]).read_bytes()
    assert gzip.decompress(compressed) == b"<p>" * 1000
    assert entry["gzip"]["size"] == len(compressed)
    assert entry["gzip"]["sha256"] == hashlib.sha256(compressed).hexdigest()
    assert entry["gzip"]["etag"] not in ("", entry["etag"])


def test_a_sibling_that_does_not_shrink_does_not_ship(site: dict[str, Asset]) -> None:
    entry = asset_manifest.build([site["css/tiny.css"]])["assets"][0]
    assert "gzip" not in entry


def test_what_ships_is_read_back_with_its_sources(site: dict[str, Asset]) -> None:
    asset_manifest.write(Path("manifest.json"), site.values())
    assert asset_manifest.shipped(Path("manifest.json")) == {
        "LICENSE": Path("assets/www/LICENSE"),
        "css/tiny.css": Path("assets/www/css/tiny.css"),
        "index.html": Path("assets/www/index.html"),
        "index.html.gz": Path("build/www/index.html.gz"),
        "logo.png": Path("assets/www/logo.png"),
    }


def test_the_same_assets_give_the_same_bytes(site: dict[str, Asset]) -> None:
    asset_manifest.write(Path("a.json"), site.values())
    asset_manifest.write(Path("b.json"), reversed(site.values()))
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()


def test_a_name_that_belongs_to_a_compressed_sibling_is_refused(site: dict[str, Asset]) -> None:
    stranger = Asset("index.html.gz", site["logo.png"].source)
    with pytest.raises(UserError, match=r"its name belongs to the compressed index\.html"):
        asset_manifest.build([*site.values(), stranger])


def test_a_gz_of_ones_own_ships_when_nothing_is_compressed(site: dict[str, Asset]) -> None:
    own = Asset("LICENSE.gz", site["logo.png"].source)
    assert len(asset_manifest.build([site["LICENSE"], own])["assets"]) == 2


@pytest.mark.parametrize("path", ["a:b.html", "end. ", "INDEX.HTML", "Index.Html.GZ"])
def test_a_name_that_fat_cannot_hold_is_refused(site: dict[str, Asset], path: str) -> None:
    with pytest.raises(UserError, match="FAT cannot"):
        asset_manifest.build([*site.values(), Asset(path, site["logo.png"].source)])
