# SPDX-License-Identifier: MIT
"""ESP-IDF as a node.

Adds to the environment:
    env.EspIdf()  build/esp-idf.json: the environment of ESP-IDF's tools
"""

from __future__ import annotations

import os
from pathlib import Path

from toolkit.scons import Environment, Node
from toolkit.step import step
from toolkit.tool import provide
from viper.source import checkout, esp_idf, pins
from viper.source.esp_idf import Installation


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "EspIdf", environment)


def environment(env: Environment) -> Node:
    options = env["RUN"].options
    wanted = pins.load(checkout.PINS).esp_idf.version
    found = esp_idf.find(options.IDF, os.environ, esp_idf.OWN.absolute(), wanted)
    node = env.Command(
        "build/esp-idf.json",
        [],
        step(
            env,
            "IDF",
            _take,
            found=found,
            state=found.state() if found else "",
            wanted=wanted,
            any_version=options.IDF_ANY,
        ),
    )
    env.Precious(node)
    env.NoCache(node)
    return node[0]


def _take(
    targets: list[Path],
    sources: list[Path],
    found: Installation | None,
    state: str,
    wanted: str,
    any_version: bool,
) -> str:
    installation = esp_idf.check(found, wanted, any_version=any_version)
    esp_idf.take_environment(installation).save(targets[0])
    return f"ESP-IDF  {installation.version} in {installation.path}"
