# SPDX-License-Identifier: MIT
"""What a build has opened, as its tools have written it down."""

from __future__ import annotations

from pathlib import Path

from viper.firmware import opened_files
from viper.firmware.opened_files import Opened


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
    assert opened_files.by_manifest(tmp_path / "m.py", tmp_path / "none", {}) == Opened()
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
    found = opened_files.by_manifest(tmp_path / "m.py", tmp_path / "mp", more)
    names = {Path(path).name for path in found.frozen}
    assert names == {"frozen.py", "m.py", "more.py"} and found == Opened(frozen=found.frozen)


def test_several_ways_together() -> None:
    one = Opened(frozenset("a"), frozenset("b"), frozenset("c"), frozenset("d"))
    other = Opened(frozenset("e"), frozenset("f"), frozenset("g"), frozenset("h"))
    assert opened_files.together([one, other, Opened()]).everything() == set("abcdefgh")
