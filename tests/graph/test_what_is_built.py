# SPDX-License-Identifier: MIT
"""What is built is what stands there: by content, whatever times, links and versions say."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from project import Project

B = "build/VIRTUAL_N16R8"
MODULE = "firmware/cmodules/viperhttp"
MIME = f"{MODULE}/core/mime.c"
# The compiler's and the C library's own, and what every program opens.
SYSTEM = ("/usr/lib", "/usr/include/", "/lib", "/usr/share/locale/", "/etc/ld.so.cache", "/dev/",
          "/proc/", "/sys/")  # fmt: skip


def build_id(project: Project) -> str:
    return str(json.loads(project.path(f"{B}/firmware.json").read_text())["build"])


def files(project: Project) -> set[str]:
    return set(json.loads(project.path(f"{B}/files.json").read_text())["files"])


def compiled(project: Project) -> dict[str, int]:
    """When each object was written."""
    folder = project.path(f"{B}/firmware")
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*.o")}


def keep_status(path: Path) -> Callable[[], None]:
    """A function that gives a file the times that it has now."""
    before = path.stat()
    return lambda: os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_restored_source_builds_what_it_says(project: Project) -> None:
    """Whatever tool puts the old time back: cp -p, mv of an .orig, tar, a sync client."""
    before = project.digests()
    kept = project.path("mime.kept")
    shutil.copy2(project.path(MIME), kept)
    project.edit(MIME, "image/png", "image/pnx")
    project.scons()
    assert b"image/pnx" in project.path(f"{B}/firmware/micropython").read_bytes()
    kept.replace(project.path(MIME))
    assert "MAKE micropython" in project.scons().steps
    assert project.digests() == before


def test_flags_of_a_makefile_reach_every_object(project: Project) -> None:
    identity, size = build_id(project), project.path(f"{B}/app.bin").stat().st_size
    project.edit(f"{MODULE}/micropython.mk", "-O2", "-O0")
    project.scons()
    assert project.path(f"{B}/app.bin").stat().st_size > size + 100_000
    assert build_id(project) != identity
    project.edit(f"{MODULE}/micropython.mk", "-O0", "-O2")
    project.scons()
    assert (build_id(project), project.path(f"{B}/app.bin").stat().st_size) == (identity, size)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("assets/www/app.js", b"in", b"ni"),
        ("firmware/app/main.py", b"in", b"ni"),
        (MIME, b"image/png", b"image/pnx"),
    ],
)
def test_the_same_size_and_time_with_another_content_is_seen(
    project: Project, name: str, old: bytes, new: bytes
) -> None:
    path = project.path(name)
    restore_times = keep_status(path)
    content = path.read_bytes()
    other = project.path("other")
    other.write_bytes(content.replace(old, new, 1))
    assert other.read_bytes() != content
    other.replace(path)
    restore_times()
    ran = project.scons().steps
    path.write_bytes(content)  # at another time, so that the next test finds what it expects
    assert ran


def test_an_outside_module_is_followed_by_content(project: Project, tmp_path: Path) -> None:
    """Through a link, an `.inc` that only -I finds; errors name what a person can open."""
    folder = tmp_path / "linked"
    (folder / "inc").mkdir(parents=True)
    (folder / "micropython.mk").write_text(
        "SRC_USERMOD_LIB_C += $(USERMOD_DIR)/linked.c\nCFLAGS_USERMOD += -I$(USERMOD_DIR)/inc\n"
    )
    (folder / "linked.c").write_text('#include "text.inc"\nconst char linked[] = TEXT;\n')
    (folder / "inc/text.inc").write_text('#define TEXT "one linked text"\n')
    project.path("firmware/cmodules/linked").symlink_to(folder)
    project.scons()
    listed = json.loads(project.path(f"{B}/firmware.json").read_text())["files"]
    assert "firmware/cmodules/linked/inc/text.inc" in listed
    restore_times = keep_status(folder / "inc/text.inc")
    (folder / "inc/text.inc").write_text('#define TEXT "two linked text"\n')
    restore_times()
    assert "MAKE micropython" in project.scons().steps
    objects = project.path(f"{B}/firmware/linked/linked.o")
    assert b"two linked text" in objects.read_bytes()

    before = compiled(project)
    (folder / "linked.c").write_text("#error linked\n")
    refused = project.scons(status=2).output
    assert "error: firmware/cmodules/linked/linked.c:1:2: error: #error linked" in refused
    assert f"{B}/stage" not in refused and "/stage/" not in refused
    (folder / "linked.c").write_text('#include "text.inc"\nconst char linked[] = TEXT;\n')
    project.scons()
    now = compiled(project)
    assert {path for path in now if now[path] != before[path]} <= {
        str(objects),
        *[path for path in now if path.endswith("build_info.o")],
    }

    outside = tmp_path / "outside.h"
    outside.write_text("")
    (folder / "linked.c").write_text(f'#include "{outside}"\n')
    refused = project.scons(status=2).output
    assert f"error: {outside} was compiled in, and is no part of the firmware's" in refused


@pytest.mark.long
def test_a_name_that_stands_in_a_header_alone_may_be_renamed(project: Project) -> None:
    """MicroPython collects names from sources; a header that changes has it look again."""
    header = project.path(f"{MODULE}/binding/signal_object.h")
    source = project.path(f"{MODULE}/binding/modviperhttp.c")
    text = source.read_text()
    source.write_text(text.replace("MP_QSTR_Signal)", "SIGNAL_NAME)"))
    assert source.read_text() != text
    plain = header.read_text()
    header.write_text(plain.replace("#endif", "#define SIGNAL_NAME MP_QSTR_SignalOne\n#endif"))
    project.scons()
    header.write_text(plain.replace("#endif", "#define SIGNAL_NAME MP_QSTR_SignalTwo\n#endif"))
    assert "MAKE micropython" in project.scons().steps


@pytest.mark.parametrize("goal", ["why", pytest.param("image", marks=pytest.mark.long)])
def test_another_compiler_under_the_same_version_line_is_seen(
    project: Project, tmp_path: Path, goal: str
) -> None:
    wrapper = tmp_path / "bin/gcc"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("gcc")} "$@"\n')
    wrapper.chmod(0o755)
    search = f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}"
    said = "gcc changed" if goal == "why" else "MAKE     micropython"
    assert said in project.scons(goal, PATH=search).output


@pytest.mark.parametrize("name", ["app.bin", "flash.bin", "vfs.img", "www/app.js.gz"])
def test_a_damaged_output_is_made_anew_and_said(project: Project, name: str) -> None:
    before = project.digests()
    path = project.path(f"{B}/{name}")
    restore_times = keep_status(path)
    content = bytearray(path.read_bytes())
    content[100:1100] = os.urandom(1000)
    path.write_bytes(content)
    restore_times()
    output = project.scons().output
    assert f"{B}/{name} was changed after it was made" in output
    assert project.digests() == before
    assert project.scons().steps == set()


def test_what_is_saved_between_two_steps_is_never_taken_for_what_was_known(
    project: Project,
) -> None:
    """The run began with one content, a step read another, and then the first one is back."""
    page = project.path("firmware/app/main.py")
    content = page.read_bytes()
    other = content + b"# other\n"
    targets = [f"{B}/{name}" for name in ("partition-table.bin", "bootloader.bin", "files.json")]
    for target in targets[:2]:
        project.path(target).unlink()
    page.write_bytes(other)
    run = project.start("-j1", *targets)
    assert run.stdout is not None
    assert "TABLE" in run.stdout.readline()  # the sources have been looked at
    page.write_bytes(content)
    run.communicate()
    page.write_bytes(other)
    project.scons(targets[-1])
    listed = json.loads(project.path(targets[-1]).read_text())["files"]
    assert listed["/main.py"]["sha256"] == hashlib.sha256(other).hexdigest()


def test_an_option_may_be_switched_off_and_on(project: Project) -> None:
    before = project.digests()
    project.scons("GZIP_ENABLED=no")
    project.scons()
    assert project.digests() == before


def test_nothing_is_left_out_in_silence(project: Project, tmp_path: Path) -> None:
    shared = project.path("shared")
    shared.mkdir()
    (shared / "a.css").write_text("a {}")
    project.path("assets/www/shared").symlink_to(shared)
    for name in ("config.json", "certs/ca.pem", "fast.mpy"):
        path = project.path(f"firmware/app/{name}")
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    for name in (".DS_Store", "a~", "#a#", ".a.swp"):
        project.path(f"assets/www/{name}").touch()
    project.path("assets/www/.#style.css").symlink_to("user@host.1")
    output = project.scons().output
    assert {"/www/shared/a.css", "/config.json", "/certs/ca.pem", "/fast.mpy"} <= files(project)
    assert not {path for path in files(project) if "~" in path or "#" in path or "/." in path}
    assert "5 files ignored" in output
    assert "IGNORED  assets/www/.DS_Store" in project.scons("why").output

    (tmp_path / "outside").mkdir()
    for place in ("assets/www", "firmware/app"):
        link = project.path(f"{place}/outside")
        link.symlink_to(tmp_path / "outside")
        refused = project.scons(status=2).output
        assert f"error: {place}/outside is a link out of the project" in refused
        link.unlink()


def test_limits_and_settings_make_no_image(project: Project) -> None:
    project.edit("boards/VIRTUAL_N16R8/board.toml", "heap_free = 4000000", "heap_free = 3000000")
    assert project.scons().steps == set()


def test_a_database_that_cannot_be_read_is_said_in_a_line(project: Project) -> None:
    project.path("build/.sconsign.dblite").write_text("garbage")
    output = project.scons().output
    assert "build/.sconsign.dblite cannot be read: every step runs once" in output
    assert "Traceback" not in output and 'File "' not in output


def test_check_names_what_is_not_what_would_be_made(project: Project) -> None:
    damaged = project.path(f"{B}/firmware/viperhttp/core/mime.o")
    content = damaged.read_bytes()
    at = content.index(b"image/png")
    damaged.write_bytes(content[:at] + b"image/pnx" + content[at + 9 :])
    refused = project.scons("check", status=2).output
    assert f"error: {B}/firmware/viperhttp/core/mime.o, section .rodata" in refused
    damaged.write_bytes(content)
    assert "as made from nothing" in project.scons("check").output


@pytest.mark.long
@pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is missing: sudo apt install strace"
)
def test_every_file_that_the_compiler_opens_is_known(project: Project, tmp_path: Path) -> None:
    """Traced, without ccache: it is in the stage, and then in firmware.json, or was made by the
    build, or is the checkout's or the system's.
    """
    shutil.rmtree(project.path(f"{B}/firmware"))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    # A file for each process: in one, a call would be told in two lines.
    traced = ["strace", "-ff", "-qq", "-e", "trace=openat,execve", "-o", str(tmp_path / "log")]
    subprocess.run(
        [*traced, *project.command()],
        cwd=project.folder,
        env=project.environment(CCACHE_DISABLE="1", TMPDIR=str(temporary)),
        check=True,
        capture_output=True,
    )
    port = project.path("build/micropython/ports/unix")  # where they run
    opened = {
        os.path.normpath(port / name)
        for told in tmp_path.glob("log.*")
        for name in _opened_by_a_compiler(told.read_text(errors="replace"))
    }
    stage = f"{project.path(B)}/stage/"
    staged = {path.removeprefix(stage) for path in opened if path.startswith(stage)}
    listed = json.loads(project.path(f"{B}/firmware.json").read_text())["files"]
    assert len(staged) > 100 and staged <= set(listed)
    made = [project.path(f"{B}/{name}") for name in ("firmware", "generated")]
    ours = (stage, *[f"{path}/" for path in (*made, project.path("build/micropython"), temporary)])
    assert [path for path in sorted(opened) if not path.startswith((*ours, *SYSTEM))] == []


def _opened_by_a_compiler(told: str) -> list[str]:
    """The files that a process has opened, if it is one of the compiler's."""
    calls = [line for line in told.splitlines() if '"' in line and " = -1 " not in line]
    programs = [Path(line.split('"')[1]).name for line in calls if line.startswith("execve(")]
    is_compiler = programs and re.fullmatch(r"(.*-)?(cc1|as|ld(\.\w+)?|collect2)", programs[-1])
    return [
        line.split('"')[1]
        for line in calls
        if is_compiler and line.startswith("openat(") and "O_DIRECTORY" not in line
    ]
