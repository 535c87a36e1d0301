"""The image of `vfs` holds what its record says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from filesystem_reader import read_fat, read_littlefs
from viper import vfs_image
from viper.errors import UserError

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
    assert record["files"] == {
        f"/{path}": {
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "source": files[f"/{path}"].as_posix(),
        }
        for path, content in held.items()
    }
    assert held["www/index.html"] == b"<p>" * 2000
    assert all(first >= 0 and count > 0 for first, count in record["used"])


@pytest.mark.parametrize("fs", READERS)
def test_when_it_fails_nothing_is_written(files: dict[str, Path], fs: str) -> None:
    Path("index.html").write_bytes(bytes(SIZE))
    with pytest.raises(UserError, match="too many"):
        vfs_image.write(Path("vfs.img"), Path("vfs.json"), files, fs=fs, size=SIZE)
    assert sorted(path.name for path in Path().iterdir()) == ["index.html", "main.py"]


def test_a_name_is_refused_whatever_the_file_system(files: dict[str, Path]) -> None:
    files["/www/a?b"] = Path("main.py")
    with pytest.raises(UserError, match="FAT cannot hold"):
        vfs_image.write(Path("vfs.img"), Path("vfs.json"), files, fs="littlefs", size=SIZE)


def test_merging_puts_every_source_under_its_folder() -> None:
    assert vfs_image.merge(
        {"/": {"main.py": Path("app/main.py")}, "/www": {"css/a.css": Path("assets/css/a.css")}}
    ) == {"/main.py": Path("app/main.py"), "/www/css/a.css": Path("assets/css/a.css")}


def test_two_sources_of_one_device_path_are_refused() -> None:
    with pytest.raises(UserError, match=r"site/a and app/www/a are both /www/a on the device"):
        vfs_image.merge({"/": {"www/a": Path("app/www/a")}, "/www": {"a": Path("site/a")}})
