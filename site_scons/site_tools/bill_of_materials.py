"""The bill of materials of a build.

Adds to the environment:
    env.BillOfMaterials(record)  build/<BOARD>/sbom.cdx.json: what a build is made of, CycloneDX
"""

import json
from pathlib import Path

from viper.graph import bill_of_materials
from viper.source import pins

_HEADER = "firmware/cmodules/viperhttp/binding/build_info.h"
_PINS = "nix/pins.json"
_DESCRIPTION = "firmware/project_description.json"  # in the board's folder, as is the next
_COMPONENTS = "micropython/ports/esp32/lockfiles/dependencies.lock"


def exists(env):
    return True


def generate(env):
    env.AddMethod(bill, "BillOfMaterials")


def bill(env, record):
    board = env["BOARD_TOML"]
    made = env.Command(
        f"{env['BUILD_DIR']}/sbom.cdx.json",
        [*env.Flatten(record), _HEADER, _PINS, "requirements/base.txt", "requirements/sbom.txt"],
        env.Step("SBOM", _write, folder=env["BUILD_DIR"], chip=board.chip, port=board.firmware),
    )
    env.NoCache(made)
    return made


def _write(targets, sources, folder, chip, port):
    build = bill_of_materials.Build(
        version=bill_of_materials.version(Path(_HEADER)),
        record=json.loads(sources[0].read_text(encoding="utf-8")),
        pins=pins.load(Path(_PINS)),
        lock=Path("requirements/base.txt"),
        # What these two say follows from what the record says.
        description=Path(folder, _DESCRIPTION) if port == "esp32" else None,
        components=Path(folder, f"{_COMPONENTS}.{chip}") if port == "esp32" else None,
    )
    named = bill_of_materials.write(targets[0], build)
    return f"{targets[0]}  {named} components"
