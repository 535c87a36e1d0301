# SPDX-License-Identifier: MIT
"""Which ESP-IDF is found, which is refused, and what its environment is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from idf_double import IdfDouble
from viper.base.errors import UserError
from viper.source import esp_idf
from viper.source.esp_idf import Environment, Installation

WANTED = "v5.5.1"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without ESP-IDF."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture(scope="module")
def idf(tmp_path_factory: pytest.TempPathFactory) -> IdfDouble:
    return IdfDouble(tmp_path_factory.mktemp("idf"))


def _put(folder: Path, version: str) -> Path:
    major, minor, patch = version.split(".")
    file = folder / "tools/cmake/version.cmake"
    file.parent.mkdir(parents=True)
    file.write_text(
        f"set(IDF_VERSION_MAJOR {major})\nset(IDF_VERSION_MINOR {minor})\n"
        f"set(IDF_VERSION_PATCH {patch})\n"
    )
    return folder


def _found(own: Path, given: str | None = None, **environment: str) -> Installation | None:
    return esp_idf.find(given, environment, own, WANTED)


def test_none_is_found_where_there_is_none(home: Path) -> None:
    assert _found(home / "build/esp-idf") is None


def test_idf_is_taken_at_its_word(home: Path) -> None:
    _put(home / "esp/esp-idf", "5.5.1")
    old = _put(home / "old", "5.1.2")
    found = _found(home / "own", given=str(old), IDF_PATH=str(home / "esp/esp-idf"))
    assert found is not None and (found.path, found.version) == (old, "v5.1.2")


def test_idf_that_is_no_esp_idf_is_refused(home: Path) -> None:
    with pytest.raises(UserError, match=r"IDF=.* is no ESP-IDF"):
        _found(home / "own", given=str(home))


def test_the_wanted_version_is_found_behind_another(home: Path) -> None:
    other = _put(home / "other", "5.4.0")
    wanted = _put(home / "esp/v5.5.1/esp-idf", "5.5.1")
    found = _found(home / "own", IDF_PATH=str(other))
    assert found is not None and found.path == wanted


def test_another_version_is_found_when_no_other_is_there(home: Path) -> None:
    other = _put(home / "other", "5.4.0")
    found = _found(home / "own", IDF_PATH=str(other))
    assert found is not None and found.version == "v5.4.0"
    with pytest.raises(UserError, match=r"is ESP-IDF v5\.4\.0, and v5\.5\.1 is pinned") as refused:
        esp_idf.check(found, WANTED, any_version=False)
    assert "IDF_ANY=1" in refused.value.next_step
    assert esp_idf.check(found, WANTED, any_version=True) == found


def test_our_own_has_its_tools_beside_it(home: Path) -> None:
    own = _put(home / "build/esp-idf", "5.5.1")
    found = _found(own)
    assert found is not None and found.tools == home / "build/esp-idf-tools"


def test_none_names_the_way_to_one_and_the_way_without() -> None:
    with pytest.raises(UserError) as refused:
        esp_idf.check(None, WANTED, any_version=False)
    assert "./scons idf" in refused.value.next_step
    assert "./scons flash" in refused.value.next_step


def test_a_path_with_a_space_is_refused(home: Path) -> None:
    spaced = _put(home / "my idf", "5.5.1")
    with pytest.raises(UserError, match="path with a space"):
        esp_idf.check(_found(home / "own", given=str(spaced)), WANTED, any_version=False)


def test_the_environment_is_what_export_adds(
    idf: IdfDouble, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IDF_TARGET", "esp32c3")  # what a user has left there
    monkeypatch.setenv("CFLAGS", "-O0")
    taken = esp_idf.take_environment(Installation(idf.folder, WANTED, idf.tools))
    assert taken.variables["IDF_PATH"] == str(idf.folder)
    assert not {"IDF_TARGET", "CFLAGS", "PATH", "IDF_DEACTIVATE_FILE_PATH"} & set(taken.variables)
    whole = taken.whole()
    assert whole["PATH"] == os.pathsep.join([*taken.search, os.environ["PATH"]])
    assert not {"IDF_TARGET", "CFLAGS"} & set(whole)
    assert taken.find("xtensa-esp32s3-elf-gcc") is not None

    taken.save(tmp_path / "kept.json")
    assert Environment.load(tmp_path / "kept.json") == taken


def test_the_environment_is_the_same_each_time(idf: IdfDouble) -> None:
    installation = Installation(idf.folder, WANTED, idf.tools)
    assert esp_idf.take_environment(installation) == esp_idf.take_environment(installation)


def _without_compiler(idf: IdfDouble) -> None:
    shutil.rmtree(idf.tools / "tools/xtensa-esp-elf")


def _without_python(idf: IdfDouble) -> None:
    shutil.rmtree(idf.tools / "python_env")


def _with_broken_python(idf: IdfDouble) -> None:
    for python in idf.tools.glob("python_env/*/bin/python"):
        python.write_text("#!/bin/sh\nexit 1\n")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_without_compiler, "xtensa-esp-elf is not installed"),
        (_without_python, "Python environment is missing or broken"),
        (_with_broken_python, "Python environment is missing or broken"),
    ],
)
def test_what_is_not_wholly_installed_names_the_installer(
    tmp_path: Path, damage: object, message: str
) -> None:
    idf = IdfDouble(tmp_path)
    assert callable(damage)
    damage(idf)
    with pytest.raises(UserError, match=message) as refused:
        esp_idf.take_environment(Installation(idf.folder, WANTED, idf.tools))
    assert f"{idf.folder}/install.sh esp32s3,esp32" in refused.value.next_step


def test_installing_a_tool_changes_the_state(tmp_path: Path) -> None:
    idf = IdfDouble(tmp_path, chips="esp32c3")
    installation = Installation(idf.folder, WANTED, idf.tools)
    before = installation.state()
    assert installation.state() == before
    idf.install("esp32s3")
    assert installation.state() != before
