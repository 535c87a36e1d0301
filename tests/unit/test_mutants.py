# SPDX-License-Identifier: MIT
"""Where a program can be changed a little, and into what."""

from __future__ import annotations

from pathlib import Path

from tests.mutants import c_mutants, python_mutants
from tests.mutants.mutant import Mutant

PYTHON = '''\
"""1 + 1."""
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    MORE = 1 < 2
def f(a: "int | str", b=3) -> None:
    # 1 < 2
    return (a) not in b and "1 < 2" or -a
def g(x):
    while x << 1: pass
'''
C = """\
#define SIZE (1 + 1)
// 1 < 2
_Static_assert(1 < 2, "1 < 2");
static bool f(const char *a) {
    return a[3] == '1' && *a != "1 < 2"[0]; /* 1 + 1
    1 + 1 */
}
"""


def test_python(tmp_path: Path) -> None:
    (tmp_path / "é.py").write_text(PYTHON)
    found = python_mutants.mutants(tmp_path, Path("é.py"))
    assert [str(mutant) for mutant in found] == [
        "é.py:5:25  3 → 4",
        "é.py:7:16  not in → in",
        "é.py:7:25  and → or",
        "é.py:7:37  or → and",
        "é.py:9:11  x << 1 → not (x << 1)",
        "é.py:9:13  << → >>",
        "é.py:9:16  1 → 2",
    ]


def test_c(tmp_path: Path) -> None:
    (tmp_path / "f.c").write_text(C)
    found = c_mutants.mutants(tmp_path, Path("f.c"))
    assert [str(mutant) for mutant in found] == [
        "f.c:5:14  3 → 4",
        "f.c:5:17  == → !=",
        "f.c:5:24  && → ||",
        "f.c:5:30  != → ==",
        "f.c:5:41  0 → 1",
    ]


def test_a_mutant_is_the_file_but_for_its_piece(tmp_path: Path) -> None:
    source = "ä = 1\nif ä == 1: pass\n"
    file = tmp_path / "f.py"
    for mutant in _written(file, source):
        mutant.apply(tmp_path)
        changed = file.read_text()
        compile(changed, "f.py", "exec")
        assert changed.replace(mutant.new, mutant.old, 1) == source != changed
        file.write_text(source)


def _written(file: Path, source: str) -> list[Mutant]:
    file.write_text(source)
    return python_mutants.mutants(file.parent, Path(file.name))
