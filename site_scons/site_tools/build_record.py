# SPDX-License-Identifier: MIT
"""The record of a build as a node.

Adds to the environment:
    env.BuildRecord(image, firmware, assets, sizes)  build/<BOARD>/build.json: every input's
                                                     digest; refuses an application over MAX_APP
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from toolkit.nodes import Firmware, Image
from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.base import atomic_file
from viper.base.errors import UserError


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "BuildRecord", record)


def record(env: Environment, image: Image, firmware: Firmware, assets: Node, sizes: Node) -> Node:
    run = env["RUN"]
    made = env.Command(
        f"{run.folder}/build.json",
        [firmware.inputs, assets, image.index, sizes],
        step(env, "RECORD", _record, max_app=run.options.MAX_APP),
    )
    env.NoCache(made)  # it is kept in builds/ besides
    return made[0]


def _record(targets: list[Path], sources: list[Path], max_app: int | None) -> str:
    from viper.graph import history, sizes

    inputs, assets, index, measured = sources
    firmware, flash, linked = (
        json.loads(path.read_text(encoding="utf-8")) for path in (inputs, index, measured)
    )
    digests = {part["name"]: part["sha256"] for part in flash["parts"]}
    app = next(part["size"] for part in flash["parts"] if part["name"] == "factory")
    if max_app is not None and app > max_app:
        raise UserError(
            f"the application is {app} bytes, {app - max_app} over MAX_APP={max_app}",
            "./scons size shows what takes how much",
        )
    record = {
        "format": history.FORMAT,
        "board": flash["board"],
        "build": firmware["build"],
        "app": {name: value for name, value in firmware.items() if name != "build"},
        "assets": hashlib.sha256(assets.read_bytes()).hexdigest(),
        "files": flash["files"],
        "images": digests,
    }
    record["id"] = history.identity(record)
    atomic_file.write_json(targets[0], record)
    history.keep(targets[0].parent / "builds", record, {"parts": sizes.parts(flash), **linked})
    return f"build.json  build {record['build']}, with its files {record['id']}"
