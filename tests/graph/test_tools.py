# SPDX-License-Identifier: MIT
"""The tools of SConstruct: any order of their list serves."""

from __future__ import annotations

import ast
import random
import re

import pytest
from project import ROOT, Project

TOOLS = sorted((ROOT / "site_scons/site_tools").glob("*.py"))
# Each alone, in a process of its own: it loads what it stands on.
ALONE = """
import os
for name in {names}:
    child = os.fork()
    if not child:
        Environment(tools=[name])
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print("cannot be loaded alone:", name)
Exit(0)
"""


def listed(sconstruct: str) -> list[str]:
    """The tools that a SConstruct lists."""
    calls = [node for node in ast.walk(ast.parse(sconstruct)) if isinstance(node, ast.Call)]
    [made] = [call for call in calls if getattr(call.func, "id", "") == "Environment"]
    [tools] = [each.value for each in made.keywords if each.arg == "tools"]
    names = ast.literal_eval(tools)
    assert isinstance(names, list)
    return names


def shuffled(seed: int) -> list[str]:
    names = listed((ROOT / "SConstruct").read_text())
    if seed:
        random.Random(seed).shuffle(names)
    else:
        names.reverse()
    return names


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_any_order_of_the_tools_does_the_same(project: Project, seed: int) -> None:
    sconstruct = project.path("SConstruct")
    text = sconstruct.read_text()
    help_text, why = project.scons("-h").output, project.scons("why=vfs.img").output
    tools = f"Environment(tools={shuffled(seed)})"
    sconstruct.write_text(re.sub(r"Environment\(tools=\[.*?\]\)", tools, text, flags=re.DOTALL))
    assert listed(sconstruct.read_text()) == shuffled(seed)
    assert project.scons("-h").output == help_text
    assert project.scons("why=vfs.img").output == why
    assert project.scons("image").steps == set()
    # What one order ignored: a cache gets what is made, and is asked for it.
    cache = project.path("build/cache")
    project.path("build/VIRTUAL_N16R8/otadata.bin").unlink()
    project.scons("image", f"CACHE={cache}")
    assert list(cache.glob("*/*"))
    project.path("build/VIRTUAL_N16R8/otadata.bin").unlink()
    assert "CACHE    build/VIRTUAL_N16R8/otadata.bin" in project.scons(f"CACHE={cache}").output
    assert "no option 'CASH'" in project.scons("CASH=/tmp", status=2).output


def test_each_tool_loads_what_it_stands_on(project: Project) -> None:
    names = [path.stem for path in TOOLS]
    project.path("SConstruct").write_text(ALONE.format(names=names))
    assert project.scons().output == ""
