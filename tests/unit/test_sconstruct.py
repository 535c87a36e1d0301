# SPDX-License-Identifier: MIT
"""SConstruct and its tools as they are written: each word is found by its name."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
from project import ROOT

SCONSTRUCT = (ROOT / "SConstruct").read_text(encoding="utf-8")
TOOLS = sorted((ROOT / "site_scons/site_tools").glob("*.py"))
TOOLKIT = sorted((ROOT / "site_scons/toolkit").glob("*.py"))


def test_each_method_is_in_the_tool_that_bears_its_name() -> None:
    for path in TOOLS:
        for name in provided(path):
            assert name.lower() == path.stem.replace("_", ""), path


def provided(path: Path) -> list[str]:
    """The methods that a tool adds to the environment."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    called = [call for call in calls if getattr(call.func, "id", "") == "provide"]
    return [ast.literal_eval(call.args[1]) for call in called]


def test_what_sconstruct_calls_is_a_method_of_a_tool_that_it_lists() -> None:
    called = set(re.findall(r"\benv\.(\w+)", SCONSTRUCT))
    names = set(re.findall(r'"(\w+)",', SCONSTRUCT.partition("])")[0]))
    provides = {name for path in TOOLS if path.stem in names for name in provided(path)}
    assert called == provides


@pytest.mark.parametrize("path", [*TOOLS, *TOOLKIT], ids=lambda path: path.stem)
def test_scons_is_imported_by_its_facade_alone(path: Path) -> None:
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert ("SCons" in imported) == (path.stem == "scons")


def test_what_stands_in_a_list_stands_there_plainly() -> None:
    """A table is formatted as one, and no row is made by a star before a parenthesis."""
    listing = ["git", "ls-files", "*.py", "SConstruct"]
    done = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True)
    for name in done.stdout.split():
        assert starred(ast.parse((ROOT / name).read_text(encoding="utf-8"))) == [], name
    assert starred(ast.parse("f(*(1, 2), *(x for x in y), *z)")) == [1, 1]


def starred(tree: ast.AST) -> list[int]:
    """The lines in which what is written out is unpacked at once."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Starred) and isinstance(node.value, (ast.Tuple, ast.GeneratorExp))
    ]
