# SPDX-License-Identifier: MIT
"""The pinned ESP-IDF is fetched once, its installer is run, and an interruption costs little."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import qemu_double
from project import ROOT
from viper.base.errors import UserError
from viper.emulator import program
from viper.source import esp_idf, esp_idf_install
from viper.source.pins import EspIdfPin


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    allowed = ["-c", "protocol.file.allow=always"]
    return subprocess.run(
        ["git", *identity, *allowed, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


@pytest.fixture
def pin(tmp_path: Path) -> EspIdfPin:
    """The double as a git repository, with another one as its submodule, as ESP-IDF has them."""
    library, origin = tmp_path / "origin/library", tmp_path / "origin/esp-idf"
    library.mkdir(parents=True)
    (library / "README").touch()
    shutil.copytree(ROOT / "tests/doubles/idf", origin)
    for folder in (library, origin):
        _git(folder, "init", "--quiet")
        _git(folder, "add", "--all")
        _git(folder, "commit", "--quiet", "--message=all")
    _git(origin, "submodule", "add", "--quiet", "../library", "components/library")
    _git(origin, "commit", "--quiet", "--message=submodule")
    return EspIdfPin("v5.5.1", str(origin), _git(origin, "rev-parse", "HEAD"))


@pytest.fixture(autouse=True)
def submodules_from_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let git take a submodule from a folder, which it does only from a host by default."""
    from viper.source import git_command

    run = git_command.run
    monkeypatch.setattr(
        git_command,
        "run",
        lambda *words, **more: run("-c", "protocol.file.allow=always", *words, **more),
    )


def test_sources_submodules_and_tools_are_installed(pin: EspIdfPin, tmp_path: Path) -> None:
    folder = tmp_path / "build/esp-idf"
    esp_idf_install.install(pin, folder)
    assert (folder / "components/library/README").exists()
    assert _git(folder, "describe", "--tags") == "v5.5.1"
    tools = tmp_path / "build/esp-idf-tools/tools"
    assert list(tools.glob("xtensa-esp-elf/*/xtensa-esp-elf/bin/xtensa-esp32s3-elf-gcc"))


def test_what_is_there_is_not_fetched_again(pin: EspIdfPin, tmp_path: Path) -> None:
    folder = tmp_path / "build/esp-idf"
    esp_idf_install.install(pin, folder)
    shutil.rmtree(tmp_path / "origin")
    esp_idf_install.install(pin, folder)


def test_an_interrupted_installation_goes_on(pin: EspIdfPin, tmp_path: Path) -> None:
    folder = tmp_path / "build/esp-idf"
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet")
    (folder / "export.sh").write_text("half")
    esp_idf_install.install(pin, folder)
    assert (folder / "export.sh").read_bytes() == (
        ROOT / "tests/doubles/idf/export.sh"
    ).read_bytes()


def test_a_host_that_cannot_be_reached_is_told(pin: EspIdfPin, tmp_path: Path) -> None:
    away = EspIdfPin(pin.version, str(tmp_path / "nowhere"), pin.commit)
    with pytest.raises(UserError, match=r"ESP-IDF v5\.5\.1: git: ") as refused:
        esp_idf_install.install(away, tmp_path / "build/esp-idf")
    assert "goes on where it stopped" in refused.value.next_step


def test_an_installer_that_fails_is_shown(
    pin: EspIdfPin, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "build/esp-idf"
    esp_idf_install.install(pin, folder)
    (folder / "install.sh").write_text("echo Downloading; echo ERROR: no room; exit 1\n")
    with pytest.raises(UserError, match=r"install\.sh: ERROR: no room"):
        esp_idf_install.install(pin, folder)
    assert "Downloading" in capsys.readouterr().out


def test_a_path_with_a_space_is_refused(pin: EspIdfPin, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="path with a space"):
        esp_idf_install.install(pin, tmp_path / "a clone/build/esp-idf")


def test_the_emulator_comes_with_it(pin: EspIdfPin, tmp_path: Path) -> None:
    folder = tmp_path / "build/esp-idf"
    esp_idf_install.install(pin, folder)
    tools = esp_idf.tools_beside(folder)
    with pytest.raises(UserError, match="there is none here"):
        program.find(None, tools)  # this computer is none that ESP-IDF has one for
    qemu = qemu_double.program(tmp_path)
    (folder / "emulator").write_text(str(qemu))
    esp_idf_install.install(pin, folder)
    found = program.check(program.find(None, tools), "esp32s3")
    assert found.path.startswith(str(tools))
    assert program.unlike(found, folder) == ""
    assert "ESP-IDF has esp_develop" in program.unlike(program.Program("q", "esp_other"), folder)
