# SPDX-License-Identifier: MIT
"""Clones that share their outputs through CACHE, and their compilations through ccache."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from project import Project, copy_project, wait_until

BUILDS = 20
# Holds up the step that makes the partition table, until the other end of a pipe is closed.
HELD_UP = """
import pathlib, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "viper.image.partition_table":
            pathlib.Path(__file__).with_name("go on").read_text()

sys.meta_path.insert(0, Finder())
"""


@pytest.fixture
def clones(built: Path, tmp_path: Path) -> tuple[Project, Project]:
    """Two clones in folders of their own, with nothing built but MicroPython fetched."""
    return _clone(built, tmp_path / "one"), _clone(built, tmp_path / "another place/two")


def _clone(built: Path, folder: Path) -> Project:
    clone = copy_project(built, folder)
    shutil.rmtree(clone.path("build/VIRTUAL_N16R8"))
    clone.path("build/.sconsign.dblite").unlink()
    return clone


def test_a_second_clone_makes_nothing(clones: tuple[Project, Project], tmp_path: Path) -> None:
    one, two = clones
    option = f"CACHE={tmp_path / 'cache'}"
    one.scons("assets", "build/VIRTUAL_N16R8/vfs.img", option)
    run = two.scons("assets", "build/VIRTUAL_N16R8/vfs.img", option)
    assert {step.split()[0] for step in run.steps} == {"CACHE"}
    assert re.search(
        r"^CACHE    build/VIRTUAL_N16R8/www/app.js.gz  3 KiB$", run.output, re.MULTILINE
    )
    assert "0 steps run" in run.output and "from the cache" in run.output
    assert one.digests() == two.digests()
    # What came from the cache is as up to date as what was made.
    assert two.scons("assets", "build/VIRTUAL_N16R8/vfs.img").steps == set()


def test_a_damaged_entry_is_made_anew(clones: tuple[Project, Project], tmp_path: Path) -> None:
    """A bit that flipped anywhere, an end that is missing, and the content of another entry."""
    one, two = clones
    option = f"CACHE={tmp_path / 'cache'}"
    one.scons("assets", option)
    entries = sorted((tmp_path / "cache").glob("??/*"))
    contents = [bytearray(entry.read_bytes()) for entry in entries]
    assert len(entries) >= 7
    for number, (entry, content) in enumerate(zip(entries, contents, strict=True)):
        if number == 0:
            content = contents[1]
        elif number == 1:
            del content[-1]
        elif number == 2:
            content.clear()
        else:
            content[(len(content) - 1) * (number - 3) // (len(entries) - 4)] ^= 1 << number % 8
        entry.write_bytes(content)
    run = two.scons("assets", option)
    assert "CACHE " not in run.output
    assert run.output.count("is damaged; it is made anew") == len(entries)
    assert one.digests() == two.digests()


def test_a_build_goes_on_without_a_place_for_entries(
    clones: tuple[Project, Project], tmp_path: Path
) -> None:
    """A cache that is read-only, full or broken costs only what it would have saved."""
    one, _ = clones
    cache = tmp_path / "cache"
    cache.mkdir()
    for number in range(256):
        (cache / f"{number:02X}").touch()  # where the folders of entries would be
    run = one.scons("assets", f"CACHE={cache}")
    assert run.output.count(f"CACHE={cache}: File exists; what is made stays here") == 1
    assert len(one.digests()) > 5


@pytest.mark.parametrize(
    ("name", "made"), [("firmware/app/main.py", "files.json"), ("assets/www/app.js", "www.json")]
)
def test_nothing_is_shared_that_was_made_while_an_input_changed(
    clones: tuple[Project, Project], tmp_path: Path, name: str, made: str
) -> None:
    """The graph has looked at an input, and a step then reads what was saved meanwhile."""
    one, two = clones
    option, output = f"CACHE={tmp_path / 'cache'}", f"build/VIRTUAL_N16R8/{made}"
    saved = one.path(name).read_bytes()
    looked_at = saved + b"\n"
    for clone in clones:
        clone.path(name).write_bytes(looked_at)
    (tmp_path / "sitecustomize.py").write_text(HELD_UP)
    os.mkfifo(tmp_path / "go on")
    table = "build/VIRTUAL_N16R8/partition-table.bin"
    run = one.start("-j1", table, output, option, PYTHONPATH=str(tmp_path))
    with (tmp_path / "go on").open("w"):  # once the first step has come to where it waits
        one.path(name).write_bytes(saved)
    run.communicate()
    assert hashlib.sha256(saved).hexdigest() in one.path(output).read_text()
    two.scons(output, option)
    assert hashlib.sha256(looked_at).hexdigest() in two.path(output).read_text()


def test_what_is_compiled_for_a_computer_is_for_such_ones_alone(
    project: Project, tmp_path: Path
) -> None:
    """Whose architecture and C library it is: the kernel says another, and then Python does."""
    other = [*shlex.split("setarch linux32"), *project.command("why")]
    shown = subprocess.run(
        other, cwd=project.folder, env=project.environment(), capture_output=True, text=True
    ).stdout
    assert re.search(r"^MAKE .*: tools\.host .* → ", shown, re.MULTILINE), shown
    (tmp_path / "sitecustomize.py").write_text("import os\nos.confstr = lambda _: 'glibc 9'\n")
    shown = project.scons("why", PYTHONPATH=str(tmp_path)).output
    assert re.search(r"^MAKE .*: tools\.host .* → \S+ glibc 9$", shown, re.MULTILINE), shown
    assert "MAKE" not in project.scons("why").output


def test_a_cache_that_cannot_be_written(project: Project) -> None:
    run = project.scons("CACHE=README.md/cache", status=2)
    assert run.output.startswith("error: CACHE=README.md/cache: ")


@pytest.mark.long
def test_twenty_builds_at_once(built: Path, tmp_path: Path) -> None:
    clones = [_clone(built, tmp_path / str(number)) for number in range(BUILDS)]
    builds = [
        clone.start("assets", f"CACHE={tmp_path / 'cache'}", "CACHE_SIZE=1") for clone in clones
    ]
    for build in builds:
        output = build.communicate()[0]
        assert build.returncode == 0, output
    assert len({str(clone.digests()) for clone in clones}) == 1


@pytest.mark.long
def test_compilations_come_from_a_redis_server(
    clones: tuple[Project, Project], tmp_path: Path
) -> None:
    """A clone in another folder, whose own ccache is empty, hits what the first one compiled."""
    for tool in ("ccache", "redis-server"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is missing: sudo apt install {tool}")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    redis = subprocess.Popen(
        ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: _answers(port), redis)  # type: ignore[arg-type]
        took = []
        for number, clone in enumerate(clones):
            own = tmp_path / f"ccache {number}"
            variables = {
                "CCACHE_DIR": str(own),
                "CCACHE_REMOTE_STORAGE": f"redis://127.0.0.1:{port}",
            }
            begun = time.monotonic()
            clone.scons("build/VIRTUAL_N16R8/firmware/micropython", **variables)
            took.append(time.monotonic() - begun)
            shown = subprocess.run(
                ["ccache", "--print-stats"],
                env=clone.environment(**variables),
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            counts = dict(line.split("\t") for line in shown.splitlines())
        hits = int(counts["direct_cache_hit"]) + int(counts["preprocessed_cache_hit"])
        misses = int(counts["cache_miss"])
        print(f"{hits} hits, {misses} misses; {took[0]:.1f} s, then {took[1]:.1f} s")
        assert hits >= 0.95 * (hits + misses) > 0
    finally:
        redis.terminate()
        redis.wait()


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
