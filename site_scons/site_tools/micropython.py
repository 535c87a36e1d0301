# SPDX-License-Identifier: MIT
"""MicroPython's source as a node.

Adds to the environment:
    env.MicroPython()  the stamp file of the source: the pin's, or that of MICROPYTHON=<folder>
"""

from __future__ import annotations

from pathlib import Path

from toolkit import scons
from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.base import console
from viper.source import checkout, micropython_source, pins
from viper.source.micropython_source import Source

_CHECKOUT = Path("build/micropython")
_STAMP = Path("build/micropython.json")


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "MicroPython", micropython)


def micropython(env: Environment) -> Node:
    options, board = env["RUN"].options, env["RUN"].board
    if options.MICROPYTHON is not None:
        return _own(env, Path(options.MICROPYTHON))
    again = "fetch" in scons.targets()
    pinned = pins.load(checkout.PINS)
    stamp = env.Command(
        # A file of the checkout is a target too, so that a checkout that is gone is fetched again.
        [_STAMP.as_posix(), (_CHECKOUT / "LICENSE").as_posix()],
        [],
        step(
            env,
            "FETCH",
            _fetch,
            how={"url": options.MICROPYTHON_URL or pinned.micropython.url, "again": again},
            stand_in=board.firmware == "unix",
        ),
    )
    env.Depends(
        stamp, env.Value(repr((pinned.micropython, pinned.stand_in)), name=str(checkout.PINS))
    )
    if again:
        env.AlwaysBuild(stamp)
    env.Precious(stamp)
    env.NoClean(stamp)
    env.NoCache(stamp)
    return stamp[0]


def _fetch(targets: list[Path], sources: list[Path], url: str, again: bool, stand_in: bool) -> str:
    pinned = pins.load(checkout.PINS)
    source = micropython_source.ensure(
        _CHECKOUT, _STAMP, pinned, url=url, stand_in=stand_in, again=again
    )
    notice = micropython_source.stand_in_notice(source, pinned)
    if notice:
        console.note(notice)
    return f"MicroPython  {source.version} {source.commit[:10]}"


def _own(env: Environment, folder: Path) -> Node:
    """A developer's own tree: its state is looked at each time, and is the node's only input."""
    run = env["RUN"]
    source = micropython_source.own(folder, run.board.firmware, run.contents)
    stamp = env.Command(
        f"{run.folder}/micropython.json",
        [],
        step(env, "OWN", _keep, source=source),
    )
    return stamp[0]


def _keep(targets: list[Path], sources: list[Path], source: Source) -> str:
    source.save(targets[0])
    return f"MicroPython  {source.version} in {source.path}"
