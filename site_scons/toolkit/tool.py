# SPDX-License-Identifier: MIT
"""What every tool begins with."""

from __future__ import annotations

from collections.abc import Callable

from viper.base.errors import exits

from toolkit import scons
from toolkit.scons import Environment


def provide(
    env: Environment, name: str, method: Callable[..., object], *, needs: tuple[str, ...] = ()
) -> None:
    """Add a method to the environment; what fails there for a reason that one can mend is shown.

    Args:
        needs: the tools whose methods it takes, besides the run's.
    """
    load(env, "run", *needs)
    env.AddMethod(exits(method), name)


def load(env: Environment, *tools: str) -> None:
    """Load the tools that are not there yet."""
    for tool in tools:
        if not scons.has_tool(env, tool):
            env.Tool(tool)
