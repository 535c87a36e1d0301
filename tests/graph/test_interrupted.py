# SPDX-License-Identifier: MIT
"""A build that is killed, at any moment, is completed by the next to the same bytes."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from project import Project, processes_in, wait_until
from slowness import slowness

LIMIT_S = 60.0


@pytest.fixture(autouse=True)
def compilers_that_are_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They leave temporary files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_killed_at_ten_moments(project: Project) -> None:
    finished = [
        "partition-table.bin", "bootloader.bin", "otadata.bin", "www/app.js.gz",
        "www.json", "vfs.img", "vfs.json",
    ]  # fmt: skip
    _check(project, finished, objects=[1, 40, 120])


@pytest.mark.long
def test_killed_at_many_moments(project: Project) -> None:
    finished = ["bootloader.bin", "otadata.bin", "www/index.html.gz", "vfs.json"]
    _check(project, finished, objects=list(range(2, 180, 6)))


def test_two_builds_at_once(project: Project) -> None:
    """The second waits, says for whom, and finds the work done."""
    with project.path("firmware/cmodules/viperhttp/core/mime.c").open("a") as file:
        file.write("const int more_of_it = 1;\n")
    first = project.start()
    lock = project.path("build/.lock")
    wait_until(lambda: f"pid {first.pid}," in lock.read_text(), first)
    second = project.scons()
    output, _ = first.communicate(timeout=LIMIT_S)
    assert first.returncode == 0, output
    together = [output, second.output]
    assert sum("MAKE     micropython" in text for text in together) == 1
    waited = [text for text in together if "WAIT" in text]
    assert len(waited) == 1 and f"pid {first.pid}" in "".join(waited)


def test_questions_wait_for_no_build(project: Project) -> None:
    """They tell how things stood before it; what would build waits, and reads all of it then."""
    told = project.scons("size").output
    with project.path("build/.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate()
        lock.write("pid 1, ./scons flash BOARD=ESP32_SPIRAM\n")
        lock.flush()
        meanwhile = "another build goes on (pid 1, ./scons flash BOARD=ESP32_SPIRAM): "
        before = {path: path.stat().st_mtime_ns for path in project.path("build").glob("*.*")}
        assert project.scons("why=image").output == (
            f"{meanwhile}this is what stood before it\nall 13 steps are up to date\n"
        )
        assert told in project.scons("size").output.replace(meanwhile, "")
        assert {path: path.stat().st_mtime_ns for path in before} == before
        waiting = project.start("image")
        assert waiting.stdout is not None
        assert "WAIT     for the build that has build: pid 1," in waiting.stdout.readline()
        project.edit("assets/www/index.html", "<title>", "<title>Meanwhile ")
    output, _ = waiting.communicate(timeout=LIMIT_S)
    assert waiting.returncode == 0, output
    assert "GZIP     index.html" in output


def test_interrupt_ends_the_compiler_within_a_second(project: Project) -> None:
    shutil.rmtree(project.path("build/VIRTUAL_N16R8/firmware"))
    build = project.start()
    wait_until(lambda: len(_objects(project)) > 5, build)
    build.send_signal(signal.SIGINT)
    asked = time.monotonic()
    build.wait(LIMIT_S)
    assert time.monotonic() - asked < 2.0 * slowness()  # a second, and SCons's own end
    assert build.returncode != 0
    assert not processes_in(project.folder)


def _check(project: Project, finished: list[str], objects: list[int]) -> None:
    undisturbed = project.digests()
    outputs = project.path("build/VIRTUAL_N16R8")
    shutil.rmtree(outputs)
    project.path("build/.sconsign.dblite").unlink()
    moments: Iterator[Callable[[], bool]] = iter(
        [(lambda name=name: (outputs / name).exists()) for name in finished]  # type: ignore[misc]
        + [(lambda count=count: len(_objects(project)) >= count) for count in objects]  # type: ignore[misc]
    )
    for reached in moments:
        build = project.start()
        wait_until(reached, build)
        build.kill()
        build.wait()
    project.scons()
    assert project.digests() == undisturbed


def _objects(project: Project) -> list[str]:
    """The object files; the folder may be on its way out while this looks."""
    walked = os.walk(project.path("build/VIRTUAL_N16R8/firmware"))
    return [name for _, _, names in walked for name in names if name.endswith(".o")]
