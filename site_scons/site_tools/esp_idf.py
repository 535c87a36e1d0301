"""ESP-IDF as a node.

Adds to the environment:
    env.EspIdf()  build/esp-idf.json: the environment of ESP-IDF's tools
"""

import os
from pathlib import Path

from viper.base.errors import exits
from viper.source import esp_idf, pins

_PINS = Path("nix/pins.json")


def exists(env):
    return True


def generate(env):
    env.AddMethod(environment, "EspIdf")


@exits
def environment(env):
    wanted = pins.load(_PINS).esp_idf.version
    found = esp_idf.find(env.get("IDF"), os.environ, esp_idf.OWN.absolute(), wanted)
    node = env.Command(
        "build/esp-idf.json",
        [],
        env.Step(
            "IDF",
            _take,
            found=found,
            state=found.state() if found else "",
            wanted=wanted,
            any_version=env["IDF_ANY"],
        ),
    )
    env.Precious(node)
    env.NoCache(node)
    return node[0]


def _take(targets, sources, found, state, wanted, any_version):
    installation = esp_idf.check(found, wanted, any_version=any_version)
    esp_idf.take_environment(installation).save(targets[0])
    return f"ESP-IDF  {installation.version} in {installation.path}"
