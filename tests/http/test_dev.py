"""The incremental loop, in front of a real browser: save, and see."""

from __future__ import annotations

import json
import re
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Chromium, Page
from project import Project, processes_in

PORT = "PORT=virtual:dev"
_LIMIT_S = 120.0  # a build of the firmware, on a machine that is busy with other tests


class Loop:
    """`./scons dev`, running."""

    def __init__(self, project: Project) -> None:
        self._process = project.start("dev", PORT)
        self._output: list[str] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._output.append(line)
                self._changed.notify()

    @property
    def output(self) -> str:
        return "".join(self._output)

    def wait_for(self, pattern: str, since: int = 0) -> re.Match[str]:
        """Wait until it prints something, after its first `since` characters."""

        def found() -> re.Match[str] | None:
            return re.search(pattern, self.output[since:], re.MULTILINE)

        with self._changed:
            self._changed.wait_for(found, _LIMIT_S)
        match = found()
        assert match, self.output
        return match

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(_LIMIT_S)
        self._reader.join()

    def close(self) -> None:
        self.interrupt()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def loop(project: Project) -> Iterator[Loop]:
    loop = Loop(project)
    try:
        yield loop
    finally:
        loop.close()
        project.scons("board-stop", PORT)


@pytest.fixture
def page(loop: Loop, tmp_path: Path) -> Iterator[Page]:
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("needs a browser: apt-get install chromium")
    address = loop.wait_for(r"^DEV +(\S+)")[1]
    with Chromium(executable, tmp_path / "profile") as chromium:
        yield chromium.open(address, width=1280)


def build_of(project: Project) -> str:
    record = json.loads(project.path("build/VIRTUAL_N16R8/firmware.json").read_text())
    return str(record["build"])


def test_what_is_saved_is_seen(project: Project, loop: Loop, page: Page) -> None:
    page.wait_until("document.title === 'ViperHTTP'")

    project.edit("assets/www/index.html", "<title>", "<title>Saved ")
    page.wait_until("document.title.startsWith('Saved ')", _LIMIT_S)
    assert page.evaluate("document.querySelectorAll('script[src*=_dev]').length") == 1

    # An error is shown, and what mends it goes on.
    seen = len(loop.output)
    project.path("assets/www/a:b.txt").write_text("not a name for FAT")
    loop.wait_for(r"^error: .*a:b\.txt", seen)
    project.path("assets/www/a:b.txt").unlink()
    project.edit("assets/www/index.html", "<title>Saved ", "<title>Mended ")
    page.wait_until("document.title.startsWith('Mended ')", _LIMIT_S)

    # Frozen Python runs after its build, without another command.
    before = build_of(project)
    project.edit("firmware/python/probation.py", "LIMIT_S = 60", "LIMIT_S = 50")
    identity = "(document.querySelector('.identity')?.innerText ?? '')"
    page.wait_until(f"{identity} && !{identity}.includes('{before}')", _LIMIT_S)
    assert build_of(project) in page.evaluate(identity)

    # Nothing of the loop is on the device, nor is anything left when it ends during a build.
    assert b"_dev/reload" not in project.path(".viper/boards/dev/flash.bin").read_bytes()
    seen = len(loop.output)
    project.edit("firmware/python/probation.py", "LIMIT_S = 50", "LIMIT_S = 40")
    loop.wait_for("compiling MicroPython", seen)
    asked = time.monotonic()
    loop.interrupt()
    assert time.monotonic() - asked < 5
    assert "Traceback" not in loop.output
    left = processes_in(project.folder)
    assert all("viper.virtual_board" in command for command in left), left
