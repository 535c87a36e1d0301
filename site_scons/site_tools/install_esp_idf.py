# SPDX-License-Identifier: MIT
"""The installation of ESP-IDF, for those who have none.

Adds to the environment:
    env.InstallEspIdf()  a task that installs the pinned ESP-IDF under build/
"""

from __future__ import annotations

from toolkit.run import Run
from toolkit.scons import Environment
from toolkit.task import Task
from toolkit.tool import provide
from viper.base import console


def exists(env: Environment) -> bool:
    return True


def generate(env: Environment) -> None:
    provide(env, "InstallEspIdf", lambda env: Task(_install))


def _install(run: Run) -> None:
    from viper.source import checkout, esp_idf, esp_idf_install, pins

    wanted = pins.load(checkout.PINS).esp_idf
    esp_idf_install.install(wanted, esp_idf.OWN.absolute())
    console.step("IDF", f"ESP-IDF  {wanted.version} in {esp_idf.OWN}")
