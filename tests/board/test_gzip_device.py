"""`./scons gzip-device`: a board compresses its own files when they change, and only then."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from urllib.request import Request, urlopen

import pytest
from project import Project
from viper.virtual_board import control

PORT = "PORT=virtual:gzip"
TEXT = "Files that a person puts there are compressed too.\n"
OURS = "b'\\x1f\\x8b\\x08\\0\\0\\0\\0\\0\\0\\xff'"  # how a .gz of the build or the device starts


class Served:
    """A board that serves the demo."""

    def __init__(self, project: Project) -> None:
        self.project = project
        project.scons("flash", PORT)
        board = control.running(project.path(".viper/boards/gzip"))
        assert board
        self.board = board

    def run(self, program: str) -> str:
        """Run a program in the board's MicroPython; what it prints."""
        port = f"{self.board.port_url}?ign_set_control"
        return subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", port, "resume", "exec", program],
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


@pytest.fixture
def served(project: Project):  # type: ignore[no-untyped-def]
    try:
        yield Served(project)
    finally:
        project.scons("board-stop", PORT)


def test_makes_renews_and_removes(served: Served) -> None:
    assert re.search(r"/www  0 made, \d+ fresh, \d+ skipped, 0 removed", served.gzip_device())
    served.run(
        f"open('/www/new.txt','w').write({TEXT!r}*100)\n"
        f"open('/www/app.js','w').write({TEXT!r}*200)\n"
        f"open('/www/gone.css.gz','wb').write({OURS})\n"
        "open('/www/users.gz','wb').write(b'a user\\'s own')\n"
    )
    assert "2 made" in (told := served.gzip_device()) and "1 removed" in told
    for path, times in (("/new.txt", 100), ("/app.js", 200)):
        packed, encoding = served.get(path, "gzip")
        assert encoding == "gzip" and gzip.decompress(packed) == (TEXT * times).encode()
        assert served.get(path, "identity") == ((TEXT * times).encode(), None)
    assert served.run("import os; print(sorted(n for n in os.listdir('/www') if n > 'g'))") == (
        served.run("import os; print(sorted(n for n in os.listdir('/www') if n > 'g'"
                   " and n != 'gone.css.gz' and n != '.gz'))")
    )  # fmt: skip
    assert "users.gz" in served.run("import os; print(os.listdir('/www'))")
    assert " 0 made" in served.gzip_device()


def test_disk_that_fills_up(served: Served) -> None:
    """What was served before is served afterwards, and nothing half-made is left."""
    served.run(
        f"open('/www/app.js','w').write({TEXT!r}*200)\n"
        "import os\n"
        "noise = b''.join(os.urandom(1) + b'ab' for _ in range(20000))\n"
        "open('/www/noise.txt','wb').write(noise)\n"
        "f = open('/filler','wb')\n"
        "try:\n"
        "    while True:\n"
        "        f.write(bytes(4096))\n"
        "except OSError:\n"
        "    f.close()\n"
    )
    told = served.gzip_device(status=2)
    assert "the device's file system is full" in told and "Traceback" not in told
    assert "'.gz'" not in served.run("import os; print(os.listdir('/www'))")
    assert served.get("/app.js", "gzip") == ((TEXT * 200).encode(), None)
    served.run("import os; os.remove('/filler')")
    assert " made" in served.gzip_device()
    packed, encoding = served.get("/app.js", "gzip")
    assert encoding == "gzip" and gzip.decompress(packed) == (TEXT * 200).encode()
