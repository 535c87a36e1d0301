# SPDX-License-Identifier: MIT
"""The documentation as a site, by MkDocs.

Adds to the environment:
    env.Documentation(folder)  build/site/index.html
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.base import process
from viper.base.errors import UserError

_LOCK = "requirements/docs.txt"


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Documentation", site)


def site(env: Environment, folder: str) -> Node:
    files = [
        env.fs.File(f"{parent}/{name}")
        for parent, _, names in os.walk(folder)
        for name in sorted(names)
        if name.endswith((".md", ".svg"))
    ]
    made = env.Command(
        "build/site/index.html", ["mkdocs.yml", *files, _LOCK], step(env, "DOCS", _build)
    )
    env.Clean(made, "build/site")
    env.NoCache(made)
    return made[0]


def _build(targets: list[Path], sources: list[Path]) -> str:
    pages = [source for source in sources if source.suffix == ".md"]
    try:
        # Not --quiet: what it keeps to itself does not count as a warning either.
        process.run([sys.executable, "-m", "mkdocs", "build", "--strict"])
    except process.ToolFailed as failure:
        raise UserError(failure.output.strip(), "mend the page, then ./scons docs") from None
    return f"{targets[0]}  {len(pages)} pages"
