# SPDX-License-Identifier: MIT
"""The submodules of MicroPython's source as a node, which the real boards need.

Adds to the environment:
    env.MicroPythonSubmodules(source)  their stamp file; none of MICROPYTHON=<folder>, which has
                                       its own
"""

from __future__ import annotations

from pathlib import Path

from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.base import atomic_file
from viper.source import checkout, micropython_source, pins

_CHECKOUT = Path("build/micropython")
_SUBMODULES = Path("build/micropython-submodules")


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "MicroPythonSubmodules", submodules)


def submodules(env: Environment, source: Node) -> list[Node]:
    if env["RUN"].options.MICROPYTHON is not None:
        return []
    stamp = env.Command(f"{_SUBMODULES}.json", source, step(env, "FETCH", _fetch))
    env.Depends(stamp, env.Value(repr(pins.load(checkout.PINS).micropython.submodules)))
    env.Precious(stamp)
    env.NoClean(stamp)
    env.NoCache(stamp)
    return stamp


def _fetch(targets: list[Path], sources: list[Path]) -> str:
    pinned = pins.load(checkout.PINS)
    micropython_source.ensure_submodules(_CHECKOUT, _SUBMODULES, pinned)
    commits = {submodule.path: submodule.commit for submodule in pinned.micropython.submodules}
    atomic_file.write_json(targets[0], commits)
    return f"submodules  {', '.join(sorted(commits))}"
