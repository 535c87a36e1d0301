"""The documentation as a site: MkDocs, in packages of its own.

Adds to the environment:
    env.Documentation(folder)  build/site/index.html
"""

from __future__ import annotations

import os
from pathlib import Path

from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.base import process, python_environment
from viper.base.errors import UserError

_ENVIRONMENT = Path("build/docs-venv")


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Documentation", site)


def site(env: Environment, folder: str) -> Node:
    lock = f"{folder}/requirements.txt"
    packages = env.Command(f"{_ENVIRONMENT}/{Path(lock).name}", lock, step(env, "PYTHON", _install))
    env.Precious(packages)
    env.NoCache(packages)
    files = [
        env.fs.File(f"{parent}/{name}")
        for parent, _, names in os.walk(folder)
        for name in sorted(names)
        if name.endswith((".md", ".svg"))
    ]
    made = env.Command(
        "build/site/index.html", ["mkdocs.yml", *files, packages], step(env, "DOCS", _build)
    )
    env.Clean(made, "build/site")
    env.NoCache(made)
    return made[0]


def _install(targets: list[Path], sources: list[Path]) -> str:
    python_environment.install(_ENVIRONMENT, sources[0], "./scons docs")
    return f"{_ENVIRONMENT}  packages of {sources[0]}"


def _build(targets: list[Path], sources: list[Path]) -> str:
    pages = [source for source in sources if source.suffix == ".md"]
    try:
        # Not --quiet: what it keeps to itself does not count as a warning either.
        process.run([f"{_ENVIRONMENT}/bin/mkdocs", "build", "--strict"])
    except process.ToolFailed as failure:
        raise UserError(failure.output.strip(), "mend the page, then ./scons docs") from None
    return f"{targets[0]}  {len(pages)} pages"
