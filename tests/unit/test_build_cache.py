"""Entries of the cache of outputs: verified, bounded, and safe for many at once."""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from viper import build_cache

BUILDS = 20
CONTENT = b"an image " * 1000


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    """An entry of CONTENT, which a program is."""
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    source.chmod(0o755)
    entry = tmp_path / "AB" / "abcdef"
    entry.parent.mkdir()
    build_cache.put(source, entry)
    return entry


def test_comes_out_as_it_went_in(entry: Path, tmp_path: Path) -> None:
    build_cache.take(entry, tmp_path / "taken")
    assert (tmp_path / "taken").read_bytes() == CONTENT
    assert entry.stat().st_mode & 0o777 == 0o755
    assert entry.stat().st_size < len(CONTENT)


def test_one_flipped_bit_anywhere_is_refused(entry: Path, tmp_path: Path) -> None:
    whole = entry.read_bytes()
    for bit in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        entry.write_bytes(damaged)
        with pytest.raises(build_cache.Damaged):
            build_cache.take(entry, tmp_path / "taken")
        assert not entry.exists()
    assert not (tmp_path / "taken").exists()


@given(st.binary(max_size=100))
def test_anything_else_is_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "abcdef").write_bytes(raw)
    with pytest.raises(build_cache.Damaged):
        build_cache.take(folder / "abcdef", folder / "taken")


def test_another_entrys_content_is_refused(entry: Path, tmp_path: Path) -> None:
    other = entry.rename(entry.with_name("ab0000"))
    with pytest.raises(build_cache.Damaged):
        build_cache.take(other, tmp_path / "taken")


def test_the_longest_unused_goes_first(tmp_path: Path) -> None:
    folder = tmp_path / "AB"
    folder.mkdir()
    for age, name in enumerate(("newest", "middle", "oldest")):
        (folder / name).write_bytes(bytes(1000))
        os.utime(folder / name, (10_000 - age, 10_000 - age))
    (tmp_path / "config").write_bytes(bytes(1000))  # SCons's own, beside the entries
    build_cache.trim(tmp_path, 2500)
    assert {path.name for path in folder.iterdir()} == {"newest", "middle"}
    build_cache.trim(tmp_path, 0)
    assert list(folder.iterdir()) == []
    assert (tmp_path / "config").exists()


def _build(cache: Path, number: int, start: Barrier) -> None:
    """What builds do to a cache, again and again: take what is there, put in what is not, trim."""
    source, target = cache.parent / f"source {number}", cache.parent / f"target {number}"
    start.wait()
    for turn in range(25):
        entry = cache / "AB" / f"ab{turn % 5:04}"
        content = entry.name.encode() * 1000
        try:
            build_cache.take(entry, target)
            assert target.read_bytes() == content
        except FileNotFoundError:
            source.write_bytes(content)
            unplaced = entry.parent / f"{number}" / entry.name
            unplaced.parent.mkdir(exist_ok=True)
            build_cache.put(source, unplaced)
            unplaced.rename(entry)
        build_cache.trim(cache, 400)


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
