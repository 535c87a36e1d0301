# SPDX-License-Identifier: MIT
"""The project that the graph is of.

Adds to the environment:
    env.Project(application, www, templates, seeds)  the project whose SConstruct reads this one,
        or else the one that has these folders: the demo
"""

from __future__ import annotations

from dataclasses import fields

from toolkit import scons
from toolkit.scons import Environment
from toolkit.tool import provide
from viper.base.errors import UserError, nearest
from viper.source import checkout
from viper.source.project import Project


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Project", project)


def project(env: Environment, **demo: str) -> Project:
    run = env["RUN"]
    run.project = Project(**demo) if checkout.IS_HERE else _exported()
    return run.project


def _exported() -> Project:
    given = scons.exported("project")
    known = [field.name for field in fields(Project)]
    if not isinstance(given, dict):
        raise UserError(
            "SConstruct exports no project", 'write Export(project={"www": "www", ...})'
        )
    for name, folder in given.items():
        if name not in known:
            raise UserError(
                f"SConstruct: a project has no '{name}'{nearest(str(name), known)}",
                f"it has: {', '.join(known)}",
            )
        if not isinstance(folder, str) or not folder or folder.startswith(("/", "..")):
            raise UserError(
                f"SConstruct: the project's '{name}' is {folder!r}", "name a folder of the project"
            )
    missing = [name for name in known if name not in given and name != "tests"]
    if missing:
        raise UserError(
            f"SConstruct: the project has no '{missing[0]}'", f'add "{missing[0]}": "{missing[0]}"'
        )
    return Project(**given)
