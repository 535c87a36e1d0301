# SPDX-License-Identifier: MIT
"""What ships of a site, what is compressed again, and the names that cannot ship."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from viper.base.contents import Contents
from viper.base.errors import UserError
from viper.graph import web_assets
from viper.graph.web_assets import Site
from viper.image import asset_manifest
from viper.image.asset_manifest import File
from viper.source.board import GzipSettings
from viper.source.ignored import IgnoreList
from viper.source.tree import Trees

MANIFEST = Path("build/www.json")
CONTENTS = {
    "index.html": b"<p>" * 1000,
    "css/tiny.css": b"a{}",
    "css/app.css": b"a { color: red }\n" * 200,
    "logo.png": b"\x89PNG" * 500,
    "LICENSE": b"free",
}


@pytest.fixture
def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder of assets."""
    monkeypatch.chdir(tmp_path)
    for path, content in CONTENTS.items():
        source = Path("assets/www", path)
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_bytes(content)
    MANIFEST.parent.mkdir()
    return Path("assets/www")


def make(level: int = 6, *, enabled: bool = True, code: str = "", jobs: int = 2) -> set[str]:
    """Bring the site up to date; the assets that were compressed."""
    contents = Contents(Path("build/contents.json"))
    tree = Trees(contents, IgnoreList(Path("build/ignored.json"))).find("assets/www")
    site = Site("assets/www", Path("build/www"), GzipSettings(enabled, level, 1024), code)
    told: set[str] = set()
    tell: Callable[[str, int, int], None] = lambda path, size, shrunk: told.add(path)  # noqa: E731
    web_assets.update(MANIFEST, site, tree, contents, jobs=jobs, shared=None, tell=tell)
    return told


def entries() -> dict[str, dict[str, object]]:
    return {entry["path"]: entry for entry in json.loads(MANIFEST.read_text())["assets"]}


def test_it_lists_every_asset_by_path(assets: Path) -> None:
    make()
    listed = [(each["path"], each["content_type"], each["size"]) for each in entries().values()]
    assert listed == [
        ("LICENSE", "application/octet-stream", 4),
        ("css/app.css", "text/css; charset=utf-8", 3400),
        ("css/tiny.css", "text/css; charset=utf-8", 3),
        ("index.html", "text/html; charset=utf-8", 3000),
        ("logo.png", "image/png", 2000),
    ]


def test_digests_are_those_of_the_content(assets: Path) -> None:
    make()
    entry = entries()["index.html"]
    digest = hashlib.sha256(CONTENTS["index.html"]).hexdigest()
    assert (entry["sha256"], entry["etag"]) == (digest, f'"{digest[:16]}"')
    sibling = asset_manifest.shipped(MANIFEST)["index.html.gz"]
    compressed = Path(sibling.source).read_bytes()
    assert gzip.decompress(compressed) == CONTENTS["index.html"]
    assert sibling == File(
        "build/www/index.html.gz", len(compressed), hashlib.sha256(compressed).hexdigest()
    )


def test_a_sibling_that_does_not_shrink_does_not_ship(assets: Path) -> None:
    make()
    assert set(asset_manifest.shipped(MANIFEST)) == {*CONTENTS, "index.html.gz", "css/app.css.gz"}
    assert not Path("build/www/css/tiny.css.gz").exists()


def test_only_what_differs_is_compressed(assets: Path) -> None:
    assert make() == {"index.html", "css/app.css", "css/tiny.css"}
    assert make() == set()
    (assets / "index.html").write_bytes(b"<q>" * 1000)  # as long as before
    assert make() == {"index.html"}
    Path("build/www/css/app.css.gz").write_bytes(b"damaged")
    assert make() == {"css/app.css"}
    Path("build/www/css/app.css.gz").unlink()
    assert make() == {"css/app.css"}
    assert make(level=9) == make(code="another") == {"index.html", "css/app.css", "css/tiny.css"}


def test_what_is_gone_leaves_nothing(assets: Path) -> None:
    make()
    (assets / "index.html").unlink()
    assert make() == set()
    assert [path.name for path in Path("build/www").rglob("*.gz")] == ["app.css.gz"]
    make(enabled=False)
    assert not list(Path("build/www").rglob("*.gz"))


def test_the_same_assets_give_the_same_bytes(assets: Path) -> None:
    make()
    first = MANIFEST.read_bytes()
    MANIFEST.unlink()
    make(jobs=1)
    assert MANIFEST.read_bytes() == first


def test_a_manifest_that_cannot_be_read_is_made_anew(assets: Path) -> None:
    MANIFEST.write_text('{"compressed": "", "assets": [{}]}')
    assert "index.html" in make()


def test_a_name_that_belongs_to_a_compressed_sibling_is_refused(assets: Path) -> None:
    (assets / "index.html.gz").touch()
    with pytest.raises(UserError, match=r"its name belongs to the compressed index\.html"):
        make()
    make(enabled=False)  # nobody else wants it then


def test_a_folder_may_take_the_place_of_a_sibling_and_give_it_back(assets: Path) -> None:
    folder = assets / "plain.js.gz"
    folder.mkdir()
    (folder / "a.js").write_text("var a;\n" * 500)
    make()
    assert "plain.js.gz/a.js.gz" in asset_manifest.shipped(MANIFEST)
    shutil.rmtree(folder)
    (assets / "plain.js").write_text("var a;\n" * 500)
    make()
    assert {"plain.js", "plain.js.gz"} <= set(asset_manifest.shipped(MANIFEST))
    folder.mkdir()
    (folder / "a.js").write_text("var a;\n" * 500)
    with pytest.raises(UserError, match=r"'plain\.js\.gz' is a file, and cannot be a folder too"):
        make()


@pytest.mark.parametrize("path", ["a:b.html", "end. ", "INDEX.HTML", "Index.Html.GZ"])
def test_a_name_that_fat_cannot_hold_is_refused(assets: Path, path: str) -> None:
    (assets / path).touch()
    with pytest.raises(UserError, match="FAT cannot"):
        make()
