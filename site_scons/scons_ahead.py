"""A run of SCons that is ready before it is known what to build: `python -m scons_ahead`.

Loading SCons and what its actions import takes about as long as building what one save changes. The
run's arguments come on standard input, a JSON list on one line; if none come, it ends.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys

# Nothing of this project: it may be what is saved next.
_LOADED = ("SCons.Script.Main", "SCons.Variables", "littlefs", "pyfatfs.PyFat", "zlib_ng.zlib_ng")


def main() -> None:
    """Wait for the arguments, then be that run of SCons."""
    for name in _LOADED:
        importlib.import_module(name)
    line = sys.stdin.readline()
    if not line:
        return
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    sys.argv = ["scons", *json.loads(line)]
    runpy.run_module("SCons", run_name="__main__")


if __name__ == "__main__":
    main()
