# SPDX-License-Identifier: MIT
"""`./scons bench`: one table, and build/bench.json.

`python -m tests.bench TOPIC ...` measures some of it: each topic is a module of this package.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from viper.base.errors import UserError, exits, nearest

from tests.bench import dev, flashing, fleet, graph, http_python, http_static, sync, templates
from tests.bench.figure import Figure
from tests.project import ROOT, copy_project

TOPICS = {
    "graph": graph.figures,
    "flashing": flashing.figures,
    "sync": sync.figures,
    "fleet": fleet.figures,
    "dev": dev.figures,
    "templates": templates.figures,
    "http_static": http_static.figures,
    "http_python": http_python.figures,
}


@exits
def main(topics: list[str]) -> None:
    for topic in topics:
        if topic not in TOPICS:
            raise UserError(
                f"nothing is called '{topic}' that could be measured{nearest(topic, TOPICS)}",
                f"there is {', '.join(TOPICS)}",
            )
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="viperhttp-bench-") as folder:
        for topic in topics or TOPICS:
            project = copy_project(ROOT, Path(folder) / topic / "project")
            found += TOPICS[topic](project)
    (ROOT / "build/bench.json").write_text(
        json.dumps([asdict(figure) for figure in found], indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    show(found)


def show(figures: list[Figure]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "figure", "unit", "promised")
    for figure in figures:
        table.add_row(figure.what, f"{figure.value:.3g}", figure.unit, figure.bound)
    Console(width=100).print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
