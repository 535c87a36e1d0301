# SPDX-License-Identifier: MIT
"""What differs between two builds.

Adds to the environment:
    env.BuildDiff()  a task that says which inputs differ between the two that `diff` names, and
                     which images came out different
"""

from __future__ import annotations

from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import question
from toolkit.tool import provide
from viper.base import console
from viper.base.errors import UserError


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "BuildDiff", lambda env: question(_differences))


def _differences(run: Run) -> None:
    from viper.graph import history

    ids = (run.options.diff or "").split(",")
    if len(ids) != 2:
        raise UserError("diff needs two builds", "./scons diff=ID1,ID2 (build.json has the id)")
    old, new = (history.load(run.folder / "builds", digits.strip()) for digits in ids)
    differences = history.differences(old, new)
    for line in differences or [f"builds {old['id']} and {new['id']} are the same"]:
        console.note(line)
