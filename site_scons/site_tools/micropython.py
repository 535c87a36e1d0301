"""MicroPython's source as a node.

Adds to the environment:
    env.MicroPython()            the stamp file of the source: the pin's, or that of
                                 MICROPYTHON=<folder>
    env.MicroPythonSubmodules()  the stamp file of its submodules, which the real boards need
"""

from pathlib import Path

import SCons.Script
from viper.base import atomic_file, console
from viper.base.errors import exits
from viper.source import micropython_source, pins

CHECKOUT = Path("build/micropython")
STAMP = Path("build/micropython.json")
SUBMODULES = Path("build/micropython-submodules")
PINS = Path("nix/pins.json")


def exists(env):
    return True


def generate(env):
    env.AddMethod(exits(micropython), "MicroPython")
    env.AddMethod(submodules, "MicroPythonSubmodules")


def micropython(env):
    if "MICROPYTHON" in env:
        return _own(env)
    again = "fetch" in SCons.Script.COMMAND_LINE_TARGETS
    pinned = pins.load(PINS)
    board = env["BOARD_TOML"]
    stamp = env.Command(
        # A file of the checkout is a target too, so that a checkout that is gone is fetched again.
        [STAMP.as_posix(), (CHECKOUT / "LICENSE").as_posix()],
        [],
        env.Step(
            "FETCH",
            _fetch,
            how={"url": env.get("MICROPYTHON_URL") or pinned.micropython.url, "again": again},
            stand_in=board.firmware == "unix",
        ),
    )
    env.Depends(stamp, env.Value(repr((pinned.micropython, pinned.stand_in)), name=str(PINS)))
    if again:
        env.AlwaysBuild(stamp)
    env.Precious(stamp)
    env.NoClean(stamp)
    env.NoCache(stamp)
    return stamp[0]


def _fetch(targets, sources, url, again, stand_in):
    pinned = pins.load(PINS)
    source = micropython_source.ensure(
        CHECKOUT, STAMP, pinned, url=url, stand_in=stand_in, again=again
    )
    notice = micropython_source.stand_in_notice(source, pinned)
    if notice:
        console.note(notice)
    return f"MicroPython  {source.version} {source.commit[:10]}"


def submodules(env, source):
    """None of MICROPYTHON=<folder>, whose own are in it."""
    if "MICROPYTHON" in env:
        return []
    stamp = env.Command(f"{SUBMODULES}.json", source, env.Step("FETCH", _fetch_submodules))
    env.Depends(stamp, env.Value(repr(pins.load(PINS).micropython.submodules)))
    env.Precious(stamp)
    env.NoClean(stamp)
    env.NoCache(stamp)
    return stamp


def _fetch_submodules(targets, sources):
    pinned = pins.load(PINS)
    micropython_source.ensure_submodules(CHECKOUT, SUBMODULES, pinned)
    commits = {submodule.path: submodule.commit for submodule in pinned.micropython.submodules}
    atomic_file.write_json(targets[0], commits)
    return f"submodules  {', '.join(sorted(commits))}"


def _own(env):
    """A developer's own tree: its state is looked at each time, and is the node's only input."""
    source = micropython_source.own(Path(env["MICROPYTHON"]))
    stamp = env.Command(
        f"build/{env['BOARD']}/micropython.json", [], env.Step("OWN", _keep, source=source)
    )
    return stamp[0]


def _keep(targets, sources, source):
    source.save(targets[0])
    return f"MicroPython  {source.version} in {source.path}"
