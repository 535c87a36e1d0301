# SPDX-License-Identifier: MIT
"""What makefiles and cmake's files a build has read is told by make and cmake themselves."""

from __future__ import annotations

import subprocess
from pathlib import Path

from viper.firmware import assembler, opened_files
from viper.firmware.build_id import Inputs
from viper.source.micropython_source import Source


def test_makefiles_are_told_and_dependency_files_are_not(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("include flags.mk\n-include gone.mk\ninclude a.P\nall:\n")
    (tmp_path / "flags.mk").touch()
    (tmp_path / "a.P").touch()
    told = "--eval=told: ; $(file >made.txt,$(MAKEFILE_LIST))"
    subprocess.run(["make", "-s", told, "told"], cwd=tmp_path, check=True)
    read = opened_files.makefiles(tmp_path / "made.txt", tmp_path)
    assert read.everything() == {str(tmp_path / name) for name in ("Makefile", "flags.mk")}


def test_cmake_files_are_told_but_for_its_own(tmp_path: Path) -> None:
    (tmp_path / "CMakeCache.txt").write_text("A:STRING=b\nCMAKE_ROOT:INTERNAL=/usr/share/cmake\n")
    (tmp_path / "build.ninja").write_text(
        "build build.ninja: RERUN_CMAKE | /p/CMakeLists.txt /p/a$ b.cmake CMakeCache.txt "
        "/usr/share/cmake/Modules/x.cmake ../more.cmake\n"
    )
    read = opened_files.by_cmake(tmp_path).everything()
    more = str(tmp_path.parent / "more.cmake")
    assert read == {"/p/CMakeLists.txt", "/p/a b.cmake", more}
    (tmp_path / "build.ninja").write_text("")
    assert not opened_files.by_cmake(tmp_path).everything()


def test_what_the_assembler_may_read_is_told_if_a_source_has_it_read(tmp_path: Path) -> None:
    def record(text: str, digest: str = "1") -> bytes | None:
        (tmp_path / "stage").mkdir(exist_ok=True)
        (tmp_path / "stage/a.c").write_text(text)
        (tmp_path / "stage/x.inc").touch()
        inputs = Inputs(
            Source("git", "mp", "v1", "c", 0), tmp_path, Path("boards/B"), Path("modules"),
            tmp_path / "stage", {"a.c": "0", "x.inc": digest}, {}, {}, {},
        )  # fmt: skip
        file = assembler.what_it_may_read(inputs, tmp_path)
        return file and file.read_bytes()

    assert record("// x.include is a name\n#include <a.h>\n") is None
    first = record('__asm__(".incbin \\"x.inc\\"");')
    assert first and first == record('__asm__(".incbin \\"x.inc\\"");')
    assert first != record('__asm__(".incbin \\"x.inc\\"");', "2")
    assert record('.include "x.inc"')
