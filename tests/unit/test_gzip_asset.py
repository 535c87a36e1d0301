# SPDX-License-Identifier: MIT
"""Assets are compressed to the same bytes everywhere, and only where it helps."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from viper.image import gzip_asset

TEXT = b"".join(b"line %d of a text that shrinks, %d\n" % (i, i * i % 97) for i in range(20000))

# SHA-256 of compress(TEXT, level). Another digest means that the compressor's output depends on
# the machine, or that its version has changed: then every asset is another one.
RECORDED = {
    1: "656ff03e762a5d34cd84e21c62e530f26538fd00527dedf436b0b73436f54620",
    2: "e7c9c3511876c3b6e803e73b4592738e279528614fcfd696942e72b2d6478c0f",
    3: "129eecec9e78c445aac23d383ccc134c53c40b9297f053b3e4d6ce149a723759",
    4: "0e86b69304e708164a21646b2624724c60d644c65f797246d68993d0d304e117",
    5: "0d862e0f24ac65905a7aba3eea8e6a7a8713dd871a14cdc0d291320407295405",
    6: "26b2b499db9b3a32bc4991f7d18d2485e05225694347a566bd8597dd7cc79523",
    7: "ce49e78943b99b64ecb3550c812cac1ce8dce6ec8fa492f9d6b995d505b818cd",
    8: "e4dbeda41dc69332a94aae808e7d1282718aa016a2b22572f6645d1ca4f50f8d",
    9: "03e9bc842170dfafdaee98e767b0b5d0504b06c9f44d86a554bcefb9ddbdfdef",
}


@pytest.mark.parametrize("level", range(1, 10))
def test_the_bytes_are_the_recorded_ones(level: int) -> None:
    compressed = gzip_asset.compress(TEXT, level)
    assert hashlib.sha256(compressed).hexdigest() == RECORDED[level]


def test_neither_name_nor_time_nor_system_is_in_it() -> None:
    assert gzip_asset.compress(TEXT, 9)[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


@given(st.binary(max_size=3000), st.integers(1, 9))
def test_any_gunzip_gives_the_data_back(data: bytes, level: int) -> None:
    assert gzip.decompress(gzip_asset.compress(data, level)) == data


@pytest.mark.parametrize("level", [0, 10, -1])
def test_a_level_out_of_range_is_refused(level: int) -> None:
    with pytest.raises(ValueError, match="gzip level"):
        gzip_asset.compress(b"", level)


def test_compressing_lets_other_threads_run() -> None:
    """While one thread compresses, this one goes on: so several compress on several cores."""
    data = TEXT * 20
    finished_at = 0.0

    def work() -> None:
        nonlocal finished_at
        gzip_asset.compress(data, 6)
        finished_at = time.monotonic()

    thread = threading.Thread(target=work)
    started_at = time.monotonic()
    thread.start()
    longest_pause, last = 0.0, time.monotonic()
    while thread.is_alive():
        now = time.monotonic()
        longest_pause, last = max(longest_pause, now - last), now
    assert longest_pause < (finished_at - started_at) / 2


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("index.html", True),
        ("css/APP.CSS", True),
        ("a/b.min.js", True),
        ("logo.svg", True),
        ("photo.jpg", False),
        ("font.woff2", False),
        ("app.js.gz", False),
        ("LICENSE", False),
        (".js", False),
        ("v1.js/LICENSE", False),
    ],
)
def test_types_that_are_compressed_already_are_left_alone(path: str, expected: bool) -> None:
    assert gzip_asset.is_compressible(path) is expected


def test_what_ships_is_smaller() -> None:
    shrunk = gzip_asset.shrunk(TEXT, 6, 1024)
    assert 0 < len(shrunk) < len(TEXT)
    assert gzip.decompress(shrunk) == TEXT


@pytest.mark.parametrize(
    ("data", "min_size"),
    [
        (b"", 0),
        (b"a" * 1023, 1024),
        (hashlib.shake_256(b"noise").digest(5000), 1024),
    ],
    ids=["empty", "small", "does not shrink"],
)
def test_what_does_not_shrink_ships_as_it_is(data: bytes, min_size: int) -> None:
    assert gzip_asset.shrunk(data, 6, min_size) == b""


def test_an_asset_of_the_least_size_ships() -> None:
    assert gzip_asset.shrunk(b"a" * 1024, 6, 1024)
