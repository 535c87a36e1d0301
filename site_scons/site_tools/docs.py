"""The documentation as a site, by MkDocs.

Adds to the environment:
    env.Documentation(folder)  build/site/index.html
"""

import os
import sys

from viper.base import process
from viper.base.errors import UserError

_LOCK = "requirements/docs.txt"


def exists(env):
    return True


def generate(env):
    env.AddMethod(site, "Documentation")


def site(env, folder):
    files = [
        env.fs.File(f"{parent}/{name}")
        for parent, _, names in os.walk(folder)
        for name in sorted(names)
        if name.endswith((".md", ".svg"))
    ]
    made = env.Command(
        "build/site/index.html", ["mkdocs.yml", *files, _LOCK], env.Step("DOCS", _build)
    )
    env.Clean(made, "build/site")
    env.NoCache(made)
    return made


def _build(targets, sources):
    pages = [source for source in sources if source.suffix == ".md"]
    try:
        # Not --quiet: what it keeps to itself does not count as a warning either.
        process.run([sys.executable, "-m", "mkdocs", "build", "--strict"])
    except process.ToolFailed as failure:
        raise UserError(failure.output.strip(), "mend the page, then ./scons docs") from None
    return f"{targets[0]}  {len(pages)} pages"
