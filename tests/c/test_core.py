# SPDX-License-Identifier: MIT
"""Compiles and runs the C tests of viperhttp's core, with the sanitizers watching."""

from __future__ import annotations

import subprocess
from pathlib import Path

import c_program
import pytest
from c_program import CORE, SANITIZERS, THREAD_SANITIZER
from linked import TESTS
from project import ROOT
from viper.source import module_settings

HERE = Path(__file__).parent


def compile_and_run(folder: Path, name: str, flags: list[str]) -> None:
    sources = [HERE / f"{name}.c", *[CORE / f"{source}.c" for source in TESTS[name]]]
    program = c_program.build(folder, sources, flags)
    result = subprocess.run([program], stderr=subprocess.PIPE, text=True, timeout=300)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", TESTS)
def test_under_address_and_undefined_sanitizers(name: str, tmp_path: Path) -> None:
    compile_and_run(tmp_path, name, SANITIZERS)


def test_ring_under_thread_sanitizer(tmp_path: Path) -> None:
    compile_and_run(tmp_path, "test_ring", THREAD_SANITIZER)


def test_settings_that_may_be_zero_compile_as_such(tmp_path: Path) -> None:
    """With the warnings that make an error of a comparison which is always false."""
    listed = module_settings.load(ROOT / module_settings.LIST)
    zero = {
        setting.name: 0
        for setting in listed
        if type(setting.default) is int and setting.low == 0
        if setting.name != "VHTTP_INTERNAL_MEMORY_MAX"  # more than it allows does not compile
    }
    assert "VHTTP_CACHE_FILE_MAX" in zero
    c_program.write_config(tmp_path, zero)
    flags = ["-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    sources = sorted(CORE.glob("*.c"))
    subprocess.run(["gcc", *flags, f"-I{tmp_path}", f"-I{CORE}", *sources], check=True)
