# SPDX-License-Identifier: MIT
"""Compiles and runs the C tests of viperhttp's core, with the sanitizers watching."""

from __future__ import annotations

import subprocess
from pathlib import Path

import c_program
import pytest
from c_program import CORE, SANITIZERS, THREAD_SANITIZER
from linked import TESTS

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
