"""The documentation as a site: MkDocs, in packages of its own.

Adds to the environment:
    env.Documentation(folder)  build/site/index.html
"""

import os
from pathlib import Path

from viper.base import process, python_environment
from viper.base.errors import UserError

_ENVIRONMENT = Path("build/docs-venv")


def exists(env):
    return True


def generate(env):
    env.AddMethod(site, "Documentation")


def site(env, folder):
    lock = f"{folder}/requirements.txt"
    packages = env.Command(f"{_ENVIRONMENT}/{Path(lock).name}", lock, env.Step("PYTHON", _install))
    env.Precious(packages)
    env.NoCache(packages)
    files = [
        env.fs.File(f"{parent}/{name}")
        for parent, _, names in os.walk(folder)
        for name in sorted(names)
        if name.endswith((".md", ".svg"))
    ]
    made = env.Command(
        "build/site/index.html", ["mkdocs.yml", *files, packages], env.Step("DOCS", _build)
    )
    env.Clean(made, "build/site")
    env.NoCache(made)
    return made


def _install(targets, sources):
    python_environment.install(_ENVIRONMENT, sources[0], "./scons docs")
    return f"{_ENVIRONMENT}  packages of {sources[0]}"


def _build(targets, sources):
    pages = [source for source in sources if source.suffix == ".md"]
    try:
        # Not --quiet: what it keeps to itself does not count as a warning either.
        process.run([f"{_ENVIRONMENT}/bin/mkdocs", "build", "--strict"])
    except process.ToolFailed as failure:
        raise UserError(failure.output.strip(), "mend the page, then ./scons docs") from None
    return f"{targets[0]}  {len(pages)} pages"
