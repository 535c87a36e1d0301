# SPDX-License-Identifier: MIT
"""The image of `vfs` holds what its record says."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from filesystem_reader import read_fat, read_littlefs
from viper.base.errors import UserError
from viper.image import ownership, vfs_image

SIZE = 1 << 20
READERS = {"fat": read_fat, "littlefs": read_littlefs}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    monkeypatch.chdir(tmp_path)
    return {"/main.py": b"print('hi')", "/www/index.html": b"<p>" * 2000}


@pytest.mark.parametrize(("fs", "read"), READERS.items())
def test_image_and_record_agree(
    files: dict[str, bytes], fs: str, read: Callable[[bytes], dict[str, bytes]]
) -> None:
    vfs_image.write(Path("vfs.img"), Path("vfs.json"), files, fs=fs, size=SIZE)
    image, record = Path("vfs.img").read_bytes(), json.loads(Path("vfs.json").read_text())
    assert len(image) == SIZE
    held = read(image)
    note = held.pop(ownership.PATH[1:])
    assert held == {path[1:]: content for path, content in files.items()}
    noted = ownership.of_lines((line.split("\t") for line in note.decode().splitlines()), "")
    assert noted.files == {
        f"/{path}": sha256(content).hexdigest() for path, content in held.items()
    }
    assert all(first >= 0 and count > 0 for first, count in record["used"])


@pytest.mark.parametrize("fs", READERS)
def test_when_it_fails_nothing_is_written(files: dict[str, bytes], fs: str) -> None:
    files["/www/index.html"] = bytes(SIZE)
    with pytest.raises(UserError, match="too many"):
        vfs_image.write(Path("vfs.img"), Path("vfs.json"), files, fs=fs, size=SIZE)
    assert not list(Path().iterdir())
