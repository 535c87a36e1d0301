# SPDX-License-Identifier: MIT
"""What a build takes, what differs between two, the graph as a page, and the editor's commands."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
from project import Project
from viper.base.console import human_size
from viper.graph import outline


def identity(project: Project) -> str:
    return str(json.loads(project.path("build/VIRTUAL_N16R8/build.json").read_text())["id"])


def sizes(output: str) -> dict[str, int]:
    """The lines of the report that end with bytes, and perhaps a change."""
    found = re.findall(r"^  (\S.*?) +([\d,]+)(?:  [+-][\d,]+)?$", output, re.MULTILINE)
    return {name: int(size.replace(",", "")) for name, size in found}


def test_two_builds_are_told_apart(project: Project) -> None:
    first = identity(project)
    firmware = "firmware/cmodules/viperhttp/core/mime.c"
    with project.path(firmware).open("a") as file:
        file.write("const char more_of_it[3000] __attribute__((used, retain)) = {1};\n")
    with project.path("assets/www/app.js").open("a") as file:
        file.write("// more\n")
    report = project.scons("size").output
    assert identity(project) != first and f"compared with {first[:8]}" in report
    assert sizes(report)["more_of_it"] == 3000
    assert re.search(r"^  viperhttp/core +[\d,]+  \+3,\d\d\d$", report, re.MULTILINE), report
    app = project.path("build/VIRTUAL_N16R8/app.bin").stat().st_size
    assert f"{human_size(app)} used" in report
    page = project.path("build/VIRTUAL_N16R8/size.html").read_text()
    assert "more_of_it" in page and ">vfs<" in page and not re.search(r'(src|href)="', page)

    told = project.scons(f"diff={first[:8]},{identity(project)[:8]}").output
    lines = told.splitlines()
    assert f"{firmware}  changed" in lines
    assert "on the device: /www/app.js  changed" in lines
    assert {"image of factory  changed", "image of vfs  changed"} <= set(lines)
    assert not any("style.css" in line or "bootloader" in line for line in lines), told

    # Only the file system changes back: the application is still compared with the first build.
    project.edit("assets/www/app.js", "// more\n", "")
    against = project.scons("size", f"BASELINE={first}").output
    assert f"compared with {first[:8]}" in against
    assert re.search(r"^  more_of_it +3,000  \+3,000$", against, re.MULTILINE), against


def test_ids_that_nobody_knows(project: Project) -> None:
    refused = project.scons("diff=0000,ffff", status=2).output
    assert refused.startswith("error: no build '0000' is kept") and identity(project)[:8] in refused
    assert "diff=ID1,ID2" in project.scons("diff=0000", status=2).output


def test_application_over_its_budget_fails_the_build(project: Project) -> None:
    app = project.path("build/VIRTUAL_N16R8/app.bin").stat().st_size
    refused = project.scons(f"MAX_APP={app - 1}", status=2).output
    assert f"is {app} bytes, 1 over MAX_APP={app - 1}" in refused and "./scons size" in refused
    project.scons(f"MAX_APP={app}")
    assert "MAX_APP=lots" in project.scons("MAX_APP=lots", status=2).output


def test_the_graph_is_drawn_as_it_stands(project: Project) -> None:
    if shutil.which("dot") is None:
        pytest.skip("needs graphviz: apt-get install graphviz")
    with project.path("firmware/app/main.py").open("a") as file:
        file.write("# more\n")
    project.scons("graph")
    outputs = project.path("build/VIRTUAL_N16R8")
    page = (outputs / "graph.html").read_text()
    rows = dict(
        re.findall(
            r"<tr><td>(\w+)</td>.*?<td class=\"(u[a-z-]+|o[a-z-]+|m[a-z-]+)\">", page, re.DOTALL
        )
    )
    assert rows["FILES"] == "out-of-date" and rows["VFS"] == rows["IMAGE"] == "may-follow"
    assert rows["ASSETS"] == rows["MAKE"] == "up-to-date"
    assert re.search(r">\d+ ms<|>\d+\.\d s<", page)
    assert not re.search(r'(src|href)="(?!#)', page.replace("xlink:", ""))
    picture = (outputs / "graph.svg").read_text()
    for label in (">flash<", ">TABLE<", "firmware/cmodules"):
        assert label in picture
    overview = outline.shape((outputs / "overview.svg").read_text())
    assert overview == outline.shape(project.path("docs/graph.svg").read_text()), (
        "draw it anew: ./scons graph && cp build/VIRTUAL_N16R8/overview.svg docs/graph.svg"
    )
    # It was looked at, not built.
    assert "VFS vfs.img" in project.scons().steps


def test_an_editor_compiles_as_the_build_does(project: Project) -> None:
    project.scons("compiledb")
    commands = json.loads(project.path("compile_commands.json").read_text())
    ours = [entry for entry in commands if entry["file"].endswith("viperhttp/core/mime.c")]
    assert len(ours) == 1 and len(commands) > 150
    assert ours[0]["file"] == str(project.path("firmware/cmodules/viperhttp/core/mime.c"))
    check = [*ours[0]["arguments"], "-fsyntax-only"]
    check[check.index("-o") + 1] = "/dev/null"
    subprocess.run(check, cwd=ours[0]["directory"], check=True)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("./scons board-r", {"board-reset"}),
        ("./scons flash POR", {"PORT="}),
        ("./scons BOARD=VIRT", {"VIRTUAL_N16R8"}),
        ("./scons flash PORT=virt", {"virtual", "virtual:mine"}),
        ("./scons flash PORT=virtual:", {"mine"}),
        ("./scons why=fla", {"flash"}),
    ],
)
def test_the_shell_completes(project: Project, typed: str, offered: set[str]) -> None:
    project.path(".viper/boards/mine").mkdir(parents=True)
    script = """
        source tools/completion.bash
        COMP_LINE=$1 COMP_POINT=${#1} word=${1##* }
        _viperhttp ./scons "${word##*[=:]}" && printf '%s\\n' "${COMPREPLY[@]}"
    """
    done = subprocess.run(
        ["bash", "-c", script, "bash", typed],
        cwd=project.folder,
        check=True,
        capture_output=True,
        text=True,
    )
    assert set(done.stdout.split()) == offered
