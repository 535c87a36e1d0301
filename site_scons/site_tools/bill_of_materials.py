# SPDX-License-Identifier: MIT
"""The bill of materials of a build.

Adds to the environment:
    env.BillOfMaterials(record)  build/<BOARD>/sbom.cdx.json: what a build is made of, CycloneDX
"""

from __future__ import annotations

from pathlib import Path

from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.source import checkout

_HEADER = checkout.FOLDER / "firmware/cmodules/viperhttp/binding/build_info.h"
_LOCKS = checkout.FOLDER / "requirements"
_READ = (_HEADER, checkout.PINS, _LOCKS / "base.txt", _LOCKS / "sbom.txt")
_DESCRIPTION = "firmware/project_description.json"  # in the board's folder, as is the next
_COMPONENTS = "micropython/ports/esp32/lockfiles/dependencies.lock"


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "BillOfMaterials", bill)


def bill(env: Environment, record: Node) -> Node:
    board, folder = env["RUN"].board, str(env["RUN"].folder)
    made = env.Command(
        f"{folder}/sbom.cdx.json",
        [record, *map(str, _READ)],
        step(env, "SBOM", _write, folder=folder, chip=board.chip, port=board.firmware),
    )
    env.NoCache(made)
    return made[0]


def _write(targets: list[Path], sources: list[Path], folder: str, chip: str, port: str) -> str:
    from viper.graph import bill_of_materials, history
    from viper.source import pins

    build = bill_of_materials.Build(
        version=bill_of_materials.version(_HEADER),
        record=history.read(sources[0]),
        pins=pins.load(checkout.PINS),
        lock=_LOCKS / "base.txt",
        # What these two say follows from what the record says.
        description=Path(folder, _DESCRIPTION) if port == "esp32" else None,
        components=Path(folder, f"{_COMPONENTS}.{chip}") if port == "esp32" else None,
    )
    named = bill_of_materials.write(targets[0], build)
    return f"{targets[0]}  {named} components"
