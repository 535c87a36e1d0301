"""The installation of ESP-IDF, for those who have none.

Adds to the environment:
    env.InstallEspIdf()  an action that installs the pinned ESP-IDF under build/
"""

from pathlib import Path

_PINS = Path("nix/pins.json")


def exists(env):
    return True


def generate(env):
    env.AddMethod(lambda env: env.Deed(_install), "InstallEspIdf")


def _install(env):
    from viper.base import console
    from viper.source import esp_idf, esp_idf_install, pins

    folder = esp_idf.OWN.absolute()
    wanted = pins.load(_PINS).esp_idf
    esp_idf_install.install(wanted, folder)
    console.step("IDF", f"ESP-IDF  {wanted.version} in {esp_idf.OWN}")
