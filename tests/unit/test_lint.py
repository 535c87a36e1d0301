# SPDX-License-Identifier: MIT
"""Each linter finds its kind of fault in a project that is otherwise without one."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest
from project import ROOT
from viper.dev import lint

CONFIGURATION = ("pyproject.toml", ".clang-format", ".clang-tidy")
MODULE = "firmware/cmodules/viperhttp"
CLEAN = {
    "site_scons/viper/__init__.py": '"""A library."""\n',
    "site_scons/viperhttp/__init__.py": '"""A client."""\n',
    "site_scons/toolkit/__init__.py": '"""What tools are made with."""\n',
    "site_scons/site_tools/tool.py": '"""A tool."""\n',
    "site_scons/scons_server.py": '"""A server."""\n',
    "tests/project.py": '"""For tests."""\n',
    "tests/unit/test_laws.py": "def test_law() -> None:\n    pass\n",
    "tests/unit/test_sconstruct.py": "def test_law() -> None:\n    pass\n",
    "tests/c/test_core_laws.py": "def test_law() -> None:\n    pass\n",
    f"{MODULE}/core/one.c": "int one(void) { return 1; }\n",
    f"{MODULE}/port/posix.c": "int two(void) { return 2; }\n",
}
FAULTY = {
    "ruff": ("site_scons/viper/__init__.py", "import os\n"),
    "ruff format": ("tests/project.py", "ONE = [ 1 ]\n"),
    "clang-format": (f"{MODULE}/core/one.c", "int  one(void) { return 1; }\n"),
    "clang-tidy": (
        f"{MODULE}/core/one.c",
        "#include <stdlib.h>\n\nint one(const char *text) { return atoi(text); }\n",
    ),
    "mypy": ("tests/project.py", 'def one() -> int:\n    return "1"\n'),
    "laws": ("tests/unit/test_laws.py", "def test_law() -> None:\n    assert False\n"),
}

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("clang_tidy") is None, reason="./scons lint installs the linters"
)


def found_in(folder: Path, files: dict[str, str], linter: str) -> str:
    """What a linter finds in a project of these files."""
    for name in (*CONFIGURATION, str(lint.module_settings.LIST)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    [(_, found)] = lint.faults(folder, jobs=2, only=linter)
    return found


@pytest.mark.parametrize("linter", FAULTY)
def test_each_finds_its_kind_of_fault(tmp_path: Path, linter: str) -> None:
    name, text = FAULTY[linter]
    assert found_in(tmp_path, CLEAN, linter) == ""
    assert Path(name).name in found_in(tmp_path, CLEAN | {name: text}, linter)


def test_a_tools_types_are_checked(tmp_path: Path) -> None:
    untyped = '"""A tool."""\n\n\ndef generate(env):\n    pass\n'
    found = found_in(tmp_path, CLEAN | {"site_scons/site_tools/tool.py": untyped}, "mypy")
    assert "tool.py" in found
