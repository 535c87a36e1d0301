# SPDX-License-Identifier: MIT
"""Runs of SCons that begin at once: `python -m scons_server`.

Loading Python, SCons and this project's tools takes about as long as building what one save
changes. Here that is done once, and each run is a fork of what was loaded: it reads SConstruct, and
does what the graph says, as a run that a person types.

Standard input is a socket. A request is a line, a JSON list of SCons's arguments; it is answered by
{"pid": number} and, when the run has ended, {"status": as subprocess gives it}.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
from itertools import chain
from pathlib import Path
from typing import TextIO

from viper.base import parent_process

_HERE = Path(__file__).resolve().parent
_TOOLS = _HERE / "site_tools"

# Besides the tools and what they import: SCons's own, and what actions import when they run.
_LOADED = (
    "SCons.Script.Main",
    "SCons.Variables",
    "littlefs",
    "pyfatfs.PyFat",
    "zlib_ng.zlib_ng",
    "viper.image.device_files",
    "viper.image.flash_image",
    "viper.image.vfs_image",
    "viper.graph.history",
    "viper.update.backup",
    "viper.flash.jobs",
    "viper.device.http_page",
    "viper.virtual_board.control",
    "viper.graph.sizes",
    "viper.sync.over_http",
)


def main() -> None:
    """Load, then be asked for runs until nobody can ask any more."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sources = _sources()
    _load()
    client = socket.socket(fileno=os.dup(sys.stdin.fileno()))
    with client, client.makefile("rw", encoding="utf-8") as channel:
        for request in chain(sys.argv[1:], channel):
            if _sources() != sources:
                # A run of code that stands in no file any more would be noted as one of the files'.
                os.execv(sys.executable, [sys.executable, "-m", "scons_server", request])
            pid = os.fork()
            if pid == 0:
                _become(json.loads(request))
                return
            _tell(channel, pid=pid)
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            _tell(channel, status=status)


def _sources() -> dict[str, tuple[int, int]]:
    """When each file of this project's Python was last written, and its size."""
    return {
        str(path): (status.st_mtime_ns, status.st_size)
        for path in _HERE.rglob("*.py")
        for status in [path.stat()]
    }


def _load() -> None:
    before = list(sys.path)
    sys.path.insert(0, str(_TOOLS))  # SCons takes a tool that was loaded from the same file
    for name in [*_LOADED, *[path.stem for path in _TOOLS.glob("*.py")]]:
        importlib.import_module(name)
    sys.path[:] = before
    gc.freeze()  # a collection would write to all of its pages, and so copy them


def _become(arguments: list[str]) -> None:
    """Be a run of SCons, in a session of its own, which ends with the server."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parent_process.end_with_it(signal.SIGTERM)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    sys.argv = ["scons", *arguments]
    runpy.run_module("SCons", run_name="__main__")


def _tell(channel: TextIO, **what: int) -> None:
    print(json.dumps(what), file=channel, flush=True)


if __name__ == "__main__":
    main()
