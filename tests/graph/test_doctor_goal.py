"""`./scons doctor`: a line for each thing, JSON, and its exit status."""

from __future__ import annotations

import json
import os
from pathlib import Path

from project import Project


def test_lines_json_and_status(project: Project, tmp_path: Path) -> None:
    well = project.scons("doctor").output
    assert "ok       gcc" in well
    shown = project.scons("doctor", "--json").output
    findings = json.loads(shown[: shown.rindex("]") + 1])
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
