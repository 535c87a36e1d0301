# SPDX-License-Identifier: MIT
"""For each kind of input, the exact set of steps that run again when it changes."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
from project import Project, copy_unix_port, wait_until

FIRMWARE = {"MAKE micropython", "APP app.bin", "SIZES linked.json"}
IMAGE = {"IMAGE flash.bin", "RECORD build.json"}
FILES = {"FILES files.json", "VFS vfs.img"}
VFS = {"ASSETS www.json"} | FILES


def test_nothing_changed(project: Project) -> None:
    run = project.scons()
    assert run.steps == set()
    assert "\n0 steps run, " in run.output


def test_c_file(project: Project) -> None:
    """A changed file is another build, a comment too: the build id names the sources."""
    before = json.loads(project.path("build/VIRTUAL_N16R8/build.json").read_text())["build"]
    with project.path("firmware/cmodules/viperhttp/core/mime.c").open("a") as file:
        file.write("// a comment\n")
    assert project.scons().steps == FIRMWARE | IMAGE
    assert json.loads(project.path("build/VIRTUAL_N16R8/build.json").read_text())["build"] != before


def test_frozen_python(project: Project) -> None:
    with project.path("firmware/python/viperhttp/__init__.py").open("a") as file:
        file.write("EXTRA = 1\n")
    assert project.scons().steps == FIRMWARE | IMAGE


def test_application(project: Project) -> None:
    with project.path("firmware/app/main.py").open("a") as file:
        file.write("# more\n")
    assert project.scons().steps == FILES | IMAGE


def test_asset_edited(project: Project) -> None:
    with project.path("assets/www/app.js").open("a") as file:
        file.write("// more\n")
    assert project.scons().steps == {"GZIP app.js"} | VFS | IMAGE


def test_asset_added_and_deleted(project: Project) -> None:
    project.path("assets/www/new.css").write_text("p { color: red }\n" * 100)
    assert project.scons().steps == {"GZIP new.css"} | VFS | IMAGE
    assert "/www/new.css.gz" in _files(project)
    project.path("assets/www/new.css").unlink()
    assert project.scons().steps == VFS | IMAGE
    assert not {"/www/new.css", "/www/new.css.gz"} & _files(project)
    assert not project.path("build/VIRTUAL_N16R8/www/new.css.gz").exists()


def test_asset_that_cannot_be_compressed(project: Project) -> None:
    project.path("assets/www/picture.png").write_bytes(os.urandom(3000))
    assert project.scons().steps == VFS | IMAGE
    assert "/www/picture.png.gz" not in _files(project)


def test_edited_twice_in_one_second(project: Project) -> None:
    """A save right after a build is seen, though the clock shows the same second."""
    asset = project.path("assets/www/app.js")
    second = int(time.time()) - 10
    for nanosecond, text in ((100_000_000, "// one\n"), (200_000_000, "// two\n")):
        asset.write_text(text * 400)
        os.utime(asset, ns=(second * 10**9 + nanosecond, second * 10**9 + nanosecond))
        assert project.scons().steps == {"GZIP app.js"} | VFS | IMAGE


def test_touched_without_change(project: Project) -> None:
    for name in ("assets/www/app.js", "firmware/cmodules/viperhttp/core/mime.c", "nix/pins.json"):
        os.utime(project.path(name), (time.time() + 5, time.time() + 5))
    assert project.scons().steps == set()


def test_partition_csv(project: Project) -> None:
    project.edit("boards/partitions-16MiBplus.csv", "phy_init,", "phy_data,")
    # The labels are in the table only; what is placed by the table is placed anew, and the record
    # of the build has the table's digest.
    assert project.scons().steps == {"TABLE partition-table.bin", "VFS vfs.img"} | IMAGE


def test_board_toml_gzip_level(project: Project) -> None:
    project.edit("boards/VIRTUAL_N16R8/board.toml", "level = 6", "level = 9")
    steps = project.scons().steps
    compressed = {step for step in steps if step.startswith("GZIP ")}
    assert len(compressed) >= 5  # all assets: the level is an input of each
    # The firmware compresses at the same level.
    assert steps - compressed >= FIRMWARE | IMAGE


def test_option_overrides_board(project: Project) -> None:
    run = project.scons("GZIP_ENABLED=0")
    assert not any(step.startswith("GZIP ") for step in run.steps)
    assert not any(name.endswith(".gz") for name in _files(project))


@pytest.mark.parametrize("template", ["_layout.html", "_figures.html"])
def test_template(project: Project, template: str) -> None:
    with project.path(f"firmware/app/templates/{template}").open("a") as file:
        file.write("<!-- more -->")
    assert project.scons().steps == {"TEMPLATE templates"} | FILES | IMAGE


def test_helper_module_of_viper(project: Project) -> None:
    with project.path("site_scons/viper/image/partition_table.py").open("a") as file:
        file.write("# more\n")
    # Same outputs, byte for byte: the steps after the table's have nothing new to do, but those
    # that use the module themselves run.
    assert project.scons().steps == {"TABLE partition-table.bin", "VFS vfs.img", "IMAGE flash.bin"}


def test_tool_version(project: Project) -> None:
    project.edit("requirements/base.txt", "zlib-ng==", "zlib-ng==9.")
    steps = project.scons().steps
    # The same bytes come out, and nothing follows but the record of how they were made.
    assert {step.split()[0] for step in steps} <= {"GZIP", "ASSETS", "FILES", "RECORD"}


def test_compiler_version(project: Project, tmp_path: Path) -> None:
    """Another compiler is another toolchain: nothing that the first one made stays."""
    other = tmp_path / "bin" / "gcc"
    other.parent.mkdir()
    other.write_text(
        '#!/bin/sh\n[ "$*" = --version ] && { echo "gcc 99.0"; exit; }\n'
        'echo "error: gcc 99.0 compiles nothing" >&2; exit 1\n'
    )
    other.chmod(0o755)
    search = f"{other.parent}{os.pathsep}{os.environ['PATH']}"
    assert "gcc 99.0 compiles nothing" in project.scons(PATH=search, status=2).output
    assert not list(project.path("build/VIRTUAL_N16R8/firmware").rglob("*.o"))


def test_pin(project: Project, tmp_path: Path) -> None:
    """A pin that moves is fetched, and the firmware is built from it, once."""
    repository = tmp_path / "micropython.git"
    copy_unix_port(project.folder, repository)

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        command = ["git", *identity, *arguments]
        return subprocess.run(
            command, cwd=repository, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "--quiet")
    git("add", "--all", "--force")
    git("commit", "--quiet", "--message=another version")
    pins = json.loads(project.path("nix/pins.json").read_text())
    pins["micropython"]["commit"] = git("rev-parse", "HEAD")
    project.path("nix/pins.json").write_text(json.dumps(pins))
    # A fetch that is killed is begun anew by the next run.
    fetch = project.start(f"MICROPYTHON_URL={repository}")
    wait_until(lambda: project.path("build/micropython.new/.git/objects").exists(), fetch)
    fetch.kill()
    fetch.wait()
    run = project.scons(f"MICROPYTHON_URL={repository}")
    assert run.steps == {"FETCH MicroPython"} | FIRMWARE | IMAGE
    assert project.scons(f"MICROPYTHON_URL={repository}").steps == set()


def test_own_tree(project: Project, tmp_path: Path) -> None:
    """MICROPYTHON=<folder> follows the folder: what changes there is built, and nothing else."""
    own = project.path("build/own")
    copy_unix_port(project.folder, own)
    assert "MAKE micropython" in project.scons(f"MICROPYTHON={own}").steps
    assert project.scons(f"MICROPYTHON={own}").steps == set()
    changed = own / "py/mpstate.c"
    text = changed.read_text() + "#error mine\n"
    changed.unlink()
    changed.write_text(text)
    assert "#error mine" in project.scons(f"MICROPYTHON={own}", status=2).output


def test_database_lost(project: Project) -> None:
    """Every action finds its own finished work: nothing is fetched, nothing compiled."""
    objects = project.path("build/VIRTUAL_N16R8/firmware")
    before = {path: path.stat().st_mtime_ns for path in objects.rglob("*.o")}
    project.path("build/.sconsign.dblite").unlink()
    project.scons()
    assert {path: path.stat().st_mtime_ns for path in objects.rglob("*.o")} == before
    assert project.scons().steps == set()


def _files(project: Project) -> set[str]:
    return set(json.loads(project.path("build/VIRTUAL_N16R8/flash.json").read_text())["files"])
