# SPDX-License-Identifier: MIT
"""`./scons gzip-device`: a board compresses its own files when they change, and only then."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from project import Project, copy_project
from viper.virtual_board import control

PORT = "PORT=virtual:gzip"
TEXT = b"Files that a person puts there are compressed too.\n"
OURS = "b'\\x1f\\x8b\\x08\\0\\0\\0\\0\\0\\0\\xff'"  # how a .gz of the build or the device starts


_PUT = """
import os
def put(path, data):
    with open(path, 'wb') as f:
        f.write(data)
"""


class Served:
    """A board that serves the demo."""

    def __init__(self, project: Project) -> None:
        self.project = project
        project.scons("flash", PORT)
        board = control.running(project.path(".viper/boards/gzip"))
        assert board
        self.board = board

    def run(self, program: str) -> str:
        """What a program prints on the board; it has `put(path, data)`."""
        port = f"{self.board.port_url}?ign_set_control"
        return subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", port, "resume", "exec", _PUT + program],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    def gzip_device(self, status: int = 0) -> str:
        return self.project.scons("gzip-device", PORT, status=status).output

    def get(self, path: str, encoding: str) -> tuple[bytes, str | None]:
        request = Request(f"http://127.0.0.1:{self.board.http_port}{path}")
        request.add_header("Accept-Encoding", encoding)
        with urlopen(request, timeout=10) as answer:
            return answer.read(), answer.headers["Content-Encoding"]


@pytest.fixture(scope="module")
def served(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    project = copy_project(built, tmp_path_factory.mktemp("gzip") / "project")
    try:
        yield Served(project)
    finally:
        project.scons("board-stop", PORT)


def test_makes_renews_and_removes(served: Served) -> None:
    assert re.search(r"/www  0 made, \d+ fresh, \d+ skipped, 0 removed", served.gzip_device())
    served.run(
        f"put('/www/new.txt', {TEXT!r} * 100)\n"
        f"put('/www/app.js', {TEXT!r} * 200)\n"
        f"put('/www/gone.css.gz', {OURS})\n"
        "put('/www/users.gz', b'of a user')\n"
    )
    told = served.gzip_device()
    assert " 2 made" in told and " 1 removed" in told, told
    for path, times in (("/new.txt", 100), ("/app.js", 200)):
        packed, encoding = served.get(path, "gzip")
        assert encoding == "gzip" and gzip.decompress(packed) == TEXT * times
        assert served.get(path, "identity") == (TEXT * times, None)
    names = served.run("print(os.listdir('/www'))")
    assert "'users.gz'" in names and "gone.css" not in names and "'.gz'" not in names
    assert " 0 made" in served.gzip_device()


def test_disk_that_fills_up(served: Served) -> None:
    """What was served before is served afterwards, and nothing half-made is left."""
    served.run(
        f"put('/www/late.txt', {TEXT!r} * 200)\n"
        "put('/www/noise.txt', b''.join(os.urandom(2) + b'abc' for _ in range(20000)))\n"
        "with open('/filler', 'wb') as f:\n"
        "    try:\n"
        "        while f.write(bytes(4096)) == 4096:\n"
        "            pass\n"
        "    except OSError:\n"
        "        pass\n"
    )
    told = served.gzip_device(status=2)
    assert "the device's file system is full" in told and "Traceback" not in told
    assert "'.gz'" not in served.run("print(os.listdir('/www'))")
    assert served.get("/late.txt", "identity") == (TEXT * 200, None)
    served.run("os.remove('/filler')")
    assert " made" in served.gzip_device()
    packed, encoding = served.get("/late.txt", "gzip")
    assert encoding == "gzip" and gzip.decompress(packed) == TEXT * 200
