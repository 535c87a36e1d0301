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
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    monkeypatch.chdir(tmp_path)
    Path("main.py").write_bytes(b"print('hi')")
    Path("index.html").write_bytes(b"<p>" * 2000)
    return {"/main.py": Path("main.py"), "/www/index.html": Path("index.html")}


@pytest.mark.parametrize(("fs", "read"), READERS.items())
def test_image_and_record_agree(
    files: dict[str, Path], fs: str, read: Callable[[bytes], dict[str, bytes]]
) -> None:
    vfs_image.write(Path("vfs.img"), Path("vfs.json"), files, fs=fs, size=SIZE)
    image, record = Path("vfs.img").read_bytes(), json.loads(Path("vfs.json").read_text())
    assert len(image) == SIZE
    held = read(image)
    note = held.pop(ownership.PATH[1:])
    assert held == {path[1:]: source.read_bytes() for path, source in files.items()}
    noted = ownership.of_lines((line.split("\t") for line in note.decode().splitlines()), "")
    assert noted.files == {
        f"/{path}": sha256(content).hexdigest() for path, content in held.items()
    }
    assert all(first >= 0 and count > 0 for first, count in record["used"])


@pytest.mark.parametrize("fs", READERS)
def test_when_it_fails_nothing_is_written(files: dict[str, Path], fs: str) -> None:
    Path("index.html").write_bytes(bytes(SIZE))
    with pytest.raises(UserError, match="too many"):
        vfs_image.write(Path("vfs.img"), Path("vfs.json"), files, fs=fs, size=SIZE)
    assert sorted(path.name for path in Path().iterdir()) == ["index.html", "main.py"]


def test_a_seed_is_not_noted_as_ours(files: dict[str, Path]) -> None:
    vfs_image.write(
        Path("vfs.img"), Path("vfs.json"), files, fs="fat", size=SIZE, seeds=["/main.py"]
    )
    held = read_fat(Path("vfs.img").read_bytes())
    assert "main.py" in held
    assert b"main.py" not in held[ownership.PATH[1:]]
