# SPDX-License-Identifier: MIT
"""`./scons doctor`: a line for each thing, JSON, and its exit status; it changes nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

from project import ROOT, Project


def test_lines_json_and_status(project: Project, tmp_path: Path) -> None:
    before = _files(project)
    well = project.scons("doctor").output
    assert "ok       gcc" in well
    findings = json.loads(project.scons("doctor", "--json").output)
    assert {"subject": "disk", "state": "ok"}.items() <= next(
        finding for finding in findings if finding["subject"] == "disk"
    ).items()
    # Without make: everything else of PATH is there.
    tools = tmp_path / "bin"
    tools.mkdir()
    for folder in os.environ["PATH"].split(os.pathsep):
        for program in Path(folder).glob("*") if Path(folder).is_dir() else ():
            if program.name != "make" and not (tools / program.name).exists():
                (tools / program.name).symlink_to(program)
    ill = project.scons("doctor", PATH=str(tools), status=2).output
    assert "missing  make" in ill and "sudo apt install make" in ill
    assert "error: missing: make" in ill
    # A board that is not there is a line among the others.
    away = project.scons("doctor", "PORT=/dev/ttyUSB-none", status=2).output
    assert (
        "ok       gcc" in away and "missing  device    PORT=/dev/ttyUSB-none: there is no" in away
    )
    assert _files(project) == before


def _files(project: Project) -> dict[Path, tuple[int, int]]:
    """All files by what a write would change, but the lock of a run and Python's bytecode."""
    return {
        path: (path.stat().st_mtime_ns, path.stat().st_size)
        for path in project.folder.rglob("*")
        if path.is_file() and path.name != ".lock" and "__pycache__" not in path.parts
    }


def test_a_place_that_the_lab_does_not_have(project: Project, tmp_path: Path) -> None:
    lab = {
        "PATH": f"{ROOT / 'tests/doubles/labgrid'}{os.pathsep}{os.environ['PATH']}",
        "LAB_LOG": str(tmp_path / "asked"),
        "LAB_DOWN": str(tmp_path / "down"),
    }
    options = ("BOARD=VIRTUAL_N16R8", "PORT=labgrid:away,labgrid:nosuch")
    told = project.scons("doctor", *options, status=2, **lab).output
    assert "ok       labgrid   away is free" in told
    assert "missing  labgrid   PORT=labgrid:nosuch: place pattern nosuch matches nothing" in told
    assert (tmp_path / "asked").read_text() == "away show\nnosuch show\n"
