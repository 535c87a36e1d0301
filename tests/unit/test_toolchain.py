# SPDX-License-Identifier: MIT
"""A compiler is known by the content of its programs, and asked about them once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from viper.base import process
from viper.base.contents import Contents
from viper.firmware.toolchain import Toolchain, Toolchains

GCC = shutil.which("gcc")


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "toolchain.json"


def find(memory: Path, *folders: Path) -> Toolchain:
    environment = process.clean_environment()
    search = os.pathsep.join([*map(str, folders), environment["PATH"]])
    known = Toolchains(memory, Contents(memory.with_name("contents.json")))
    found = known.find("gcc", {**environment, "PATH": search})
    known.keep()
    return found


def wrapper(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "gcc").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "gcc").chmod(0o755)
    return folder


def test_its_programs_and_its_machine_are_told(memory: Path) -> None:
    found = find(memory)
    assert {"gcc", "cc1", "machine"} <= set(found.parts)
    assert found.owns("/usr/include/stdio.h") and not found.owns("/home/me/include/mine.h")
    assert find(memory) == found


def test_another_one_under_the_same_version_line_is_another(memory: Path, tmp_path: Path) -> None:
    one, other = (
        find(memory, wrapper(tmp_path / name, f'exec {GCC} {option} "$@"'))
        for name, option in (("one", ""), ("other", "-O0"))
    )
    assert one.version == other.version
    assert one.parts != other.parts
    wrapper(tmp_path / "one", f'exec {GCC} -O1 "$@"')  # in its place
    assert find(memory, tmp_path / "one").parts != one.parts


def test_another_program_behind_the_same_driver_is_another(memory: Path, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "cc1").write_text("#!/bin/sh\n")
    (programs / "cc1").chmod(0o755)
    driver = wrapper(tmp_path / "bin", f'exec {GCC} -B{programs}/ "$@"')
    before = find(memory, driver)
    (programs / "cc1").write_text("#!/bin/sh\nexit\n")
    assert {name for name, digest in find(memory, driver).parts.items()
            if digest != before.parts[name]} == {"cc1"}  # fmt: skip


def test_another_c_plus_plus_is_another(memory: Path, tmp_path: Path) -> None:
    known = Toolchains(memory, Contents(tmp_path / "contents.json"))
    driver = tmp_path / "g++"
    driver.write_text(f'#!/bin/sh\nexec {GCC} "$@"\n')
    driver.chmod(0o755)
    search = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    c, cpp = (known.find(name, {"PATH": search}) for name in ("gcc", "g++"))
    assert set((c | cpp).parts) >= {"gcc", "g++", "cc1"}
    driver.write_text(driver.read_text() + "# another\n")
    assert known.find("g++", {"PATH": search}).parts["g++"] != cpp.parts["g++"]


def test_one_that_says_nothing_is_known_by_itself(memory: Path, tmp_path: Path) -> None:
    found = find(memory, wrapper(tmp_path / "bin", "exit 1"))
    assert (found.version, found.parts["machine"], set(found.parts)) == ("", "", {"gcc", "machine"})


def test_one_that_is_not_there_is_told_apart(memory: Path, tmp_path: Path) -> None:
    known = Toolchains(memory, Contents(tmp_path / "contents.json"))
    assert known.find("gcc", {"PATH": str(tmp_path)}).parts == {"gcc": "none"}
