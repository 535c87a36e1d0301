# SPDX-License-Identifier: MIT
"""`./scons bench`: one table, and build/bench.json.

`python -m tests.bench [--beside COMMIT] TOPIC ...` measures some of it: each topic is a module of
this package.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from toolkit.options import LOCAL_FILE
from viper.base.errors import UserError, exits, nearest
from viper.base.printable import excerpt

from tests.bench import dev, flashing, fleet, graph, http_python, http_static, sync, templates
from tests.bench.beside import Beside
from tests.bench.figure import Figure
from tests.project import ROOT, Project, copy_project

Part = Callable[[Project], list[Figure]]

TOPICS: dict[str, tuple[Part, ...]] = {
    "graph": graph.PARTS,
    "flashing": (flashing.figures,),
    "sync": (sync.figures,),
    "fleet": (fleet.figures,),
    "dev": (dev.figures,),
    "templates": (templates.figures,),
    "http_static": (http_static.figures,),
    "http_python": (http_python.figures,),
}


@exits
def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="tests.bench")
    parser.add_argument("--beside", metavar="COMMIT", default="")
    parser.add_argument("topics", metavar="TOPIC", nargs="*")
    asked = parser.parse_args(arguments)
    known = TOPICS | ({"beside": Beside(asked.beside).parts} if asked.beside else {})
    for topic in asked.topics:
        if topic not in known:
            raise UserError(
                f"nothing is called '{topic}' that could be measured{nearest(topic, known)}",
                f"there is {', '.join(known)}",
            )
    found: list[Figure] = []
    missing: list[str] = []
    with tempfile.TemporaryDirectory(prefix="viperhttp-bench-") as folder:
        for topic in asked.topics or known:
            project = copy_project(ROOT, Path(folder) / topic / "project")
            project.path(LOCAL_FILE).unlink(missing_ok=True)  # what a person's own boards have
            for part in known[topic]:
                try:
                    found += part(project)
                except Exception as problem:  # whatever it is, the other figures are wanted
                    missing.append(f"{topic}, {_name(part)}: {_reason(problem)}")
    (ROOT / "build/bench.json").write_text(
        json.dumps([asdict(figure) for figure in found], indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    show(found)
    if missing:
        raise UserError(
            "figures are missing of " + "; of ".join(missing),
            "./scons bench TOPICS=... measures one topic alone",
        )


def _name(part: Part) -> str:
    return part.__name__.replace("_", " ")


def _reason(problem: Exception) -> str:
    """The last line of what is said of a failure, by a program that failed if it was one."""
    said = str(problem)
    if isinstance(problem, subprocess.CalledProcessError) and problem.stderr:
        said = os.fsdecode(problem.stderr)
    lines = [line for line in said.splitlines() if line.strip()]
    return excerpt(lines[-1].strip()) if lines else type(problem).__name__


def show(figures: list[Figure]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "figure", "unit", "promised")
    for figure in figures:
        table.add_row(figure.what, f"{figure.value:.3g}", figure.unit, figure.bound)
    Console(width=100).print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
