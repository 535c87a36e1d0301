# SPDX-License-Identifier: MIT
"""What a build has opened, as its tools have written it down."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from viper.base.errors import UserError
from viper.firmware import assembler, opened_files
from viper.firmware.build_id import Inputs
from viper.firmware.opened_files import Opened
from viper.firmware.original_paths import OriginalPaths
from viper.source.layout import Layout
from viper.source.micropython_source import Source


def test_a_dependency_file_of_make(tmp_path: Path) -> None:
    """As GCC writes it with -MD -MP: names with spaces, long lines, a rule for each header."""
    objects = tmp_path / "build/core"
    objects.mkdir(parents=True)
    (objects / "ring.P").write_text(
        "build/core/ring.o: core/ring.c core/ring.h \\\n a\\ folder/part.h ../up.h\n\n"
        "core/ring.h:\nnot/read.h:\n"
    )
    (objects / "path.P").write_text("build/core/path.o: core/path.c core/ring.h\n")
    found = opened_files.by_make(tmp_path / "build", tmp_path / "here")
    here = tmp_path.resolve() / "here"
    assert found.sources == {f"{here}/core/ring.c", f"{here}/core/path.c"}
    assert found.included == {
        f"{here}/core/ring.h", f"{here}/a folder/part.h", f"{tmp_path.resolve()}/up.h",
    }  # fmt: skip


def test_what_a_linker_has_loaded(tmp_path: Path) -> None:
    (tmp_path / "a.o").touch()
    (tmp_path / "out.map").write_text("LOAD a.o\nLOAD gone.o\n LOAD b.o\nLOADED a.o\n")
    found = opened_files.by_linker(tmp_path / "out.map", tmp_path)
    assert found == Opened(linked=frozenset({f"{tmp_path.resolve()}/a.o"}))


def test_what_a_manifest_freezes_and_includes(tmp_path: Path) -> None:
    tools = tmp_path / "mp/tools"
    tools.mkdir(parents=True)
    plain = OriginalPaths({}, tmp_path)
    assert opened_files.by_manifest(tmp_path / "m.py", tmp_path / "none", {}, plain) == Opened()
    (tools / "manifestfile.py").write_text(
        "MODE_FREEZE = 1\n"
        "class File:\n    full_path = 'frozen.py'\n"
        "class ManifestFile:\n"
        "    def __init__(self, mode, variables): self.variables = variables\n"
        "    def execute(self, path): open(self.variables['more']).close(); open(path).close()\n"
        "    def files(self): return [File]\n"
    )
    for name in ("m.py", "more.py"):
        (tmp_path / name).touch()
    more = {"more": str(tmp_path / "more.py")}
    found = opened_files.by_manifest(tmp_path / "m.py", tmp_path / "mp", more, plain)
    names = {Path(path).name for path in found.frozen}
    assert names == {"frozen.py", "m.py", "more.py"} and found == Opened(frozen=found.frozen)


def test_a_manifest_that_cannot_be_read_is_told_by_its_own_name(tmp_path: Path) -> None:
    """The build may have read it, with variables that a makefile has set."""
    tools = tmp_path / "mp/tools"
    tools.mkdir(parents=True)
    (tools / "manifestfile.py").write_text(
        "MODE_FREEZE = 1\n"
        "class ManifestFileError(Exception): pass\n"
        "class ManifestFile:\n"
        "    def __init__(self, mode, variables): pass\n"
        "    def execute(self, path): raise ManifestFileError(f'{path}: no package more')\n"
    )
    manifest = tmp_path / "stage/boards/B/manifest.py"
    names = OriginalPaths({tmp_path / "stage": Path()}, tmp_path)
    with pytest.raises(UserError) as caught:
        opened_files.by_manifest(manifest, tmp_path / "mp", {}, names)
    assert caught.value.what == "boards/B/manifest.py: no package more"


def test_several_ways_together() -> None:
    one = Opened(frozenset("a"), frozenset("b"), frozenset("c"), frozenset("d"))
    other = Opened(frozenset("e"), frozenset("f"), frozenset("g"), frozenset("h"))
    assert opened_files.together([one, other, Opened()]).everything() == set("abcdefgh")


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
            Source("git", "mp", "v1", "c", 0), tmp_path, Layout({}), Path("boards/B"),
            Path("modules"), tmp_path / "stage", {"a.c": "0", "x.inc": digest}, {}, {}, {},
        )  # fmt: skip
        file = assembler.what_it_may_read(inputs, tmp_path)
        return file and file.read_bytes()

    assert record("// x.include is a name\n#include <a.h>\n") is None
    first = record('__asm__(".incbin \\"x.inc\\"");')
    assert first and first == record('__asm__(".incbin \\"x.inc\\"");')
    assert first != record('__asm__(".incbin \\"x.inc\\"");', "2")
    assert record('.include "x.inc"')
