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
from viper.source import board

BOARD = board.load(Path("boards"), "VIRTUAL_N16R8")


def test_each_file_is_told_and_a_sync_can_read_it(tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    page.write_bytes(b"<p>" * 2000)
    index = tmp_path / "files.json"
    device_files.write(index, {"/www/index.html": page}, BOARD)
    digest = hashlib.sha256(page.read_bytes()).hexdigest()
    assert json.loads(index.read_text())["files"] == {
        "/www/index.html": {"size": 6000, "sha256": digest, "source": page.as_posix()}
    }
    image = writing.load(index, tmp_path)
    assert image.files["/www/index.html"].sha256 == digest
    assert (image.board, image.chip, image.parts) == ("VIRTUAL_N16R8", "esp32s3", ())


def test_a_name_is_refused_whatever_the_file_system(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="FAT cannot hold"):
        device_files.write(tmp_path / "files.json", {"/www/a?b": Path("main.py")}, BOARD)
    assert not list(tmp_path.iterdir())


def test_merging_puts_every_source_under_its_folder() -> None:
    assert device_files.merge(
        {"/": {"main.py": Path("app/main.py")}, "/www": {"css/a.css": Path("assets/css/a.css")}}
    ) == {"/main.py": Path("app/main.py"), "/www/css/a.css": Path("assets/css/a.css")}


def test_two_sources_of_one_device_path_are_refused() -> None:
    with pytest.raises(UserError, match=r"site/a and app/www/a are both /www/a on the device"):
        device_files.merge({"/": {"www/a": Path("app/www/a")}, "/www": {"a": Path("site/a")}})
