# SPDX-License-Identifier: MIT
"""A file is taken for what it was while its status says so, and had settled when it was read."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from viper.base import contents
from viper.base.contents import Contents


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "contents.json"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("one")
    return path


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read long after they were written."""
    now = time.time_ns
    monkeypatch.setattr(contents.time, "time_ns", lambda: now() + 10**10)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def known(memory: Path, file: Path) -> Contents:
    """What the next run knows."""
    first = Contents(memory)
    first.digest(str(file))
    first.keep()
    return Contents(memory)


def same_size_same_time(file: Path) -> None:
    before = file.stat()
    file.write_text("two")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def put_in_its_place(file: Path) -> None:
    before = file.stat()
    other = file.with_name("other")
    other.write_text("two")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("change", [same_size_same_time, put_in_its_place])
def test_another_content_of_the_same_size_and_time_is_seen(
    memory: Path, file: Path, change: Callable[[Path], None]
) -> None:
    next_run = known(memory, file)
    change(file)
    assert next_run.digest(str(file)) == sha256("two")


@pytest.mark.parametrize("change", [same_size_same_time, put_in_its_place])
def test_what_was_written_to_shows_it_though_it_is_restored(
    file: Path, change: Callable[[Path], None]
) -> None:
    files = [str(file), "nowhere"]
    before = contents.stamps(files)
    assert contents.stamps(files) == before
    change(file)
    file.write_text("one")
    os.utime(file, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    assert contents.stamps(files) != before


@pytest.mark.usefixtures("later")
def test_what_is_as_it_was_is_not_read(
    memory: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_run = known(memory, file)
    monkeypatch.setattr(Contents, "read", None)
    assert next_run.digest(str(file)) == sha256("one")


def test_what_had_just_changed_is_read_again_the_next_time(memory: Path, file: Path) -> None:
    """The clock of a drive may be coarse: another change may not show."""
    next_run = known(memory, file)
    read: list[str] = []
    original = next_run.read

    def watched(path: str) -> str:
        read.append(path)
        return original(path)

    next_run.read = watched  # type: ignore[method-assign]
    assert next_run.digest(str(file)) == sha256("one")
    assert next_run.digest(str(file)) == sha256("one")
    assert read == [str(file)]  # once, in one run


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("text", ["", "{", "[]", '{"file": [1]}', '{"file": [1, 2, 3, 4, 5]}'])
def test_a_memory_that_cannot_be_read_costs_a_look(memory: Path, file: Path, text: str) -> None:
    memory.write_text(text)
    assert Contents(memory).digest(str(file)) == sha256("one")


def test_a_file_that_is_not_there_is_an_error(memory: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Contents(memory).digest("nowhere")
