# SPDX-License-Identifier: MIT
"""A file system whose looks take longer than VHTTP_COLD_WAIT_MS, as a chip's first ones do."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest
from test_serving import build

PATIENCE_MS = 100
LOOK_MS = 3 * PATIENCE_MS
NAMES = ["index.html", "a.css", "b.js", "c.svg"]


@pytest.fixture(scope="module", params=["with a cache", "without"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """The port of a server over such files."""
    folder = tmp_path_factory.mktemp("cold")
    files = folder / "files"
    files.mkdir()
    for name in NAMES:
        (files / name).write_text(name)
    settings: dict[str, int] = {"VHTTP_COLD_WAIT_MS": PATIENCE_MS}
    if request.param == "without":
        settings["VHTTP_CACHE_SIZE_PSRAM"] = 0
    program = build(folder, "serve", [], settings)
    with subprocess.Popen(
        [program, files, "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "SLOW_FILES_MS": str(LOOK_MS)},
    ) as process:
        assert process.stdout and process.stdin
        yield int(process.stdout.readline().rsplit(":", 1)[1].rstrip("/\n"))
        process.stdin.close()
        assert process.wait(30) == 0


def get(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    status, text = answer.status, answer.read().decode()
    connection.close()
    return status, text


def test_the_files_of_a_page_are_waited_for_in_their_turn(served: int) -> None:
    """Each takes three times as long as Python may be busy, and the last stands behind three."""
    with ThreadPoolExecutor(len(NAMES)) as pool:
        answers = list(pool.map(lambda name: get(served, f"/{name}"), NAMES))
    assert answers == [(200, name) for name in NAMES]
    assert get(served, "/nowhere")[0] == 404


def test_calls_behind_them_are_made(served: int) -> None:
    with ThreadPoolExecutor(2) as pool:
        file = pool.submit(get, served, "/behind-which-calls-stand")
        while not file.done():
            assert get(served, "/body")[0] == 200
        assert file.result()[0] == 404


def test_an_interpreter_that_is_busy_otherwise_is_not(served: int) -> None:
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(get, served, "/sleep")  # for two seconds
        names = itertools.count()  # each a file that nothing is known of
        while get(served, f"/not-there-{next(names)}")[0] != 503:
            assert not busy.done()
