# SPDX-License-Identifier: MIT
"""What a device's file system is to hold."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.flash import writing
from viper.image import device_files
from viper.image.asset_manifest import File
from viper.source import board

BOARD = board.load(Path("boards"), "VIRTUAL_N16R8")


def test_each_file_is_told_and_a_sync_can_read_it(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_bytes(b"<p>" * 2000)
    index = tmp_path / "files.json"
    digest = hashlib.sha256(page.read_bytes()).hexdigest()
    file = File(page.as_posix(), 6000, digest)
    device_files.write(index, {"/www/index.html": file}, BOARD.hardware)
    assert json.loads(index.read_text())["files"] == {
        "/www/index.html": {"size": 6000, "sha256": digest, "source": page.as_posix()}
    }
    image = writing.load(index, tmp_path)
    assert image.files["/www/index.html"].sha256 == digest
    assert (image.board, image.chip, image.parts) == ("VIRTUAL_N16R8", "esp32s3", ())


def test_a_name_is_refused_whatever_the_file_system(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="FAT cannot hold"):
        device_files.write(tmp_path / "files.json", {"/www/a?b": _file("main.py")}, BOARD.hardware)
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_not_what_was_listed_is_not_taken(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_text("one")
    index = tmp_path / "files.json"
    listed = File(page.as_posix(), 3, hashlib.sha256(b"one").hexdigest())
    device_files.write(index, {"/www/index.html": listed}, BOARD.hardware)
    assert device_files.read(index) == {"/www/index.html": b"one"}
    page.write_text("two")
    with pytest.raises(UserError, match=r"index\.html was changed while it was built in"):
        device_files.read(index)


def test_merging_puts_every_source_under_its_folder() -> None:
    main, style = _file("app/main.py"), _file("assets/css/a.css")
    merged = device_files.merge({"/": {"main.py": main}, "/www": {"css/a.css": style}})
    assert merged == {"/main.py": main, "/www/css/a.css": style}


def test_two_sources_of_one_device_path_are_refused() -> None:
    ours, site = _file("app/www/a"), _file("site/a")
    with pytest.raises(UserError, match=r"site/a and app/www/a are both /www/a on the device"):
        device_files.merge({"/": {"www/a": ours}, "/www": {"a": site}})


def _file(source: str) -> File:
    return File(source, 0, "")
