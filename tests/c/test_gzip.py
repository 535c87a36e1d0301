# SPDX-License-Identifier: MIT
"""Compression: every level and every split gives what zlib takes apart again."""

from __future__ import annotations

import gzip
import os
import random
import subprocess
import zlib
from pathlib import Path

import c_program
import pytest
from c_program import CORE, SANITIZERS
from linked import GZIP

HERE = Path(__file__).parent

WORDS = (CORE / "deflate.c").read_bytes()
SAMPLES = {
    "nothing": b"",
    "one byte": b"x",
    "text": WORDS,
    "much text": b"".join(WORDS[i % 97 :] for i in range(40)),
    "noise": random.Random(1).randbytes(100_000),
    "zeros": bytes(300_000),
    "far repeats": random.Random(2).randbytes(32_000) * 4,
    "all bytes": bytes(range(256)) * 300,
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = [HERE / "gzip_stdin.c", *[CORE / f"{name}.c" for name in GZIP]]
    return c_program.build(tmp_path_factory.mktemp("gzip"), sources, SANITIZERS)


def compress(program: Path, data: bytes, level: int, piece: int = 4096) -> bytes:
    command = [os.fspath(program), str(level), str(piece)]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


@pytest.mark.parametrize("level", range(1, 10))
@pytest.mark.parametrize("name", SAMPLES)
def test_comes_back(program: Path, name: str, level: int) -> None:
    assert gzip.decompress(compress(program, SAMPLES[name], level)) == SAMPLES[name]


@pytest.mark.parametrize("piece", [1, 7, 33_000, 400_000])
def test_split_makes_no_difference(program: Path, piece: int) -> None:
    data = SAMPLES["much text"]
    assert compress(program, data, 6, piece) == compress(program, data, 6)


@pytest.mark.parametrize("level", [1, 6, 9])
def test_about_as_small_as_zlib(program: Path, level: int) -> None:
    ours = len(compress(program, SAMPLES["text"], level))
    theirs = len(zlib.compress(SAMPLES["text"], level))
    assert ours < 1.05 * theirs


def test_a_level_out_of_range_is_the_nearest(program: Path) -> None:
    for level, nearest in [(-1, 1), (0, 1), (10, 9), (99, 9)]:
        assert compress(program, WORDS, level) == compress(program, WORDS, nearest)


def test_the_head_says_nothing_that_differs_from_run_to_run(program: Path) -> None:
    """RFC 1952, section 2.3: no name, no time, no system, so that the same makes the same bytes."""
    assert compress(program, WORDS, 6)[:10] == bytes.fromhex("1f8b08 00 00000000 00 ff")


def test_noise_hardly_grows(program: Path) -> None:
    assert len(compress(program, SAMPLES["noise"], 6)) < 100_000 + 200
