# SPDX-License-Identifier: MIT
"""Is what stands what would be made? A task for `./scons check`.

Adds to the environment:
    env.Check()  a task that builds the images again in an empty folder, and compares the bytes
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from toolkit import scons
from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console
from viper.graph import rebuild

_FOLDER = Path("build/check")


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "Check", lambda env: Task(_check))


def _check(run: Run) -> None:
    # Nothing is taken from a cache, even if local.py names one.
    given = {**scons.arguments(), "BOARD": run.board.name, "CACHE": ""}
    if run.options.MICROPYTHON is not None:
        given["MICROPYTHON"] = str(Path(run.options.MICROPYTHON).absolute())
    idf = Path("build/esp-idf.json")
    if run.board.firmware == "esp32" and idf.exists():
        given["IDF"] = json.loads(idf.read_text(encoding="utf-8"))["path"]
    rebuild.bring(_FOLDER, run.trees.looked_at)
    rebuild.build(_FOLDER, ["image", *[f"{name}={value}" for name, value in given.items()]])
    objects, images = rebuild.compare(Path(), _FOLDER, run.folder)
    shutil.rmtree(_FOLDER)
    console.step(
        "CHECK", f"{run.board.name}  {objects} objects and {images} images are as made from nothing"
    )
