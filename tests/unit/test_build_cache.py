# SPDX-License-Identifier: MIT
"""Entries of the cache of outputs: verified, bounded, and safe for many at once."""

from __future__ import annotations

import errno
import multiprocessing
import os
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from viper.graph import shared_cache

BUILDS = 20
CONTENT = b"an image " * 1000
KEY = "ab" + "0" * 30
OTHER_KEY = "ab" + "1" * 30


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    """An entry of CONTENT, which a program is."""
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    source.chmod(0o755)
    entry = tmp_path / "cache/AB" / KEY
    entry.parents[1].mkdir(mode=0o755)
    shared_cache.put(source, entry)
    return entry


def test_comes_out_as_it_went_in(entry: Path, tmp_path: Path) -> None:
    shared_cache.take(entry, tmp_path / "taken")
    assert (tmp_path / "taken").read_bytes() == CONTENT
    assert (tmp_path / "taken").stat().st_mode & 0o777 == 0o755
    assert entry.stat().st_size < len(CONTENT)


def test_one_flipped_bit_anywhere_is_refused(entry: Path, tmp_path: Path) -> None:
    whole = entry.read_bytes()
    for bit in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        _is_refused(entry, bytes(damaged), tmp_path)


def test_a_truncated_entry_is_refused(entry: Path, tmp_path: Path) -> None:
    whole = entry.read_bytes()
    for size in range(len(whole)):
        _is_refused(entry, whole[:size], tmp_path)


def _is_refused(entry: Path, content: bytes, tmp_path: Path) -> None:
    entry.write_bytes(content)
    with pytest.raises(shared_cache.Damaged):
        shared_cache.take(entry, tmp_path / "taken")
    assert not entry.exists() and not (tmp_path / "taken").exists()


@pytest.mark.parametrize("mode", [0o2775, 0o755, 0o700], ids=oct)
def test_entries_are_for_those_who_have_the_folder(mode: int, tmp_path: Path) -> None:
    """Whatever the umask: of two people who share a cache, each can use what the other made."""
    cache = tmp_path / "cache"
    cache.mkdir()
    cache.chmod(mode)
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    before = os.umask(0o077)
    try:
        shared_cache.put(source, cache / "AB" / KEY)
    finally:
        os.umask(before)
    assert (cache / "AB").stat().st_mode & 0o7777 == mode
    assert (cache / "AB" / KEY).stat().st_mode & 0o777 == mode & 0o666


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "cache").mkdir()
    (tmp_path / "source").write_bytes(CONTENT)
    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OSError, match="No space"):
        shared_cache.put(tmp_path / "source", tmp_path / "cache/AB" / KEY)
    assert list((tmp_path / "cache/AB").iterdir()) == []


@given(st.binary(max_size=100))
def test_anything_else_is_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    folder = tmp_path_factory.mktemp("foreign")
    (folder / KEY).write_bytes(raw)
    with pytest.raises(shared_cache.Damaged):
        shared_cache.take(folder / KEY, folder / "taken")


def test_another_entrys_content_is_refused(entry: Path, tmp_path: Path) -> None:
    other = entry.rename(entry.with_name(OTHER_KEY))
    with pytest.raises(shared_cache.Damaged):
        shared_cache.take(other, tmp_path / "taken")


def test_the_longest_unused_goes_first(tmp_path: Path) -> None:
    folder = tmp_path / "AB"
    folder.mkdir()
    names = {age: f"ab{age:030}" for age in range(3)}
    for age, name in names.items():
        (folder / name).write_bytes(bytes(1000))
        os.utime(folder / name, (10_000 - age, 10_000 - age))
    shared_cache.trim(tmp_path, 2500)
    assert {path.name for path in folder.iterdir()} == {names[0], names[1]}
    shared_cache.trim(tmp_path, 0)
    assert list(folder.iterdir()) == []


def test_what_was_taken_was_used(entry: Path, tmp_path: Path) -> None:
    os.utime(entry, (10_000, 10_000))
    shared_cache.take(entry, tmp_path / "taken")
    assert time.time() - entry.stat().st_mtime < 60


def test_only_entries_are_removed(tmp_path: Path) -> None:
    """Somebody may name a folder that has other things in it."""
    theirs = [tmp_path / name for name in ("config", "AB/letter.txt", f"home/{KEY}", "AB/x.part")]
    abandoned, unfinished = (tmp_path / f"AB/{KEY}.{word}.part" for word in ("old", "new"))
    for path in (*theirs, abandoned, unfinished):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(1000))
    os.utime(abandoned, (10_000, 10_000))
    shared_cache.trim(tmp_path, 0)
    assert all(path.exists() for path in theirs)
    assert unfinished.exists() and not abandoned.exists()


def _build(cache: Path, number: int, start: Barrier) -> None:
    """What builds do to a cache, again and again: take what is there, put in what is not, trim."""
    source, target = cache.parent / f"source {number}", cache.parent / f"target {number}"
    start.wait()
    for turn in range(25):
        entry = cache / "AB" / f"ab{turn % 5:030}"
        content = entry.name.encode() * 1000
        try:
            shared_cache.take(entry, target)
            assert target.read_bytes() == content
        except FileNotFoundError:
            source.write_bytes(content)
            shared_cache.put(source, entry)
        shared_cache.trim(cache, 400)


def test_many_builds_at_once(tmp_path: Path) -> None:
    (tmp_path / "cache/AB").mkdir(parents=True)
    context = multiprocessing.get_context("fork")
    start = context.Barrier(BUILDS)
    builds = [
        context.Process(target=_build, args=(tmp_path / "cache", number, start))
        for number in range(BUILDS)
    ]
    for build in builds:
        build.start()
    for build in builds:
        build.join()
    assert [build.exitcode for build in builds] == [0] * BUILDS
