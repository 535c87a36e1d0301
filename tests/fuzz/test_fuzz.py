# SPDX-License-Identifier: MIT
"""A short run of every fuzz target; `python -m tests.fuzz SECONDS` makes long ones."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from fuzz import targets


@pytest.fixture(scope="session")
def libfuzzer(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("libfuzzer")
    source = folder / "empty.c"
    source.write_text("int LLVMFuzzerTestOneInput(void) { return 0; }")
    command = ["clang", "-fsanitize=fuzzer", str(source), "-o", str(folder / "empty")]
    if not shutil.which("clang") or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("clang with libFuzzer is not installed (clang, libclang-rt-14-dev)")


@pytest.mark.parametrize("name", targets.TARGETS)
def test_nothing_is_found_in_a_few_seconds(name: str, tmp_path: Path, libfuzzer: None) -> None:
    done = targets.run(targets.build(name, tmp_path), name, tmp_path, seconds=2)
    assert done.returncode == 0, done.stdout[-4000:]


def test_an_off_by_one_is_found(
    tmp_path: Path, libfuzzer: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parser looks at one byte behind its input: within a minute, the fuzzer says so."""
    core = tmp_path / "core"
    shutil.copytree(targets.CORE, core)
    monkeypatch.setattr(targets, "CORE", core)
    parser = core / "parser.c"
    text = parser.read_text()
    right = "if (at < length && buffer[at] == '\\n') {"
    assert right in text
    parser.write_text(text.replace(right, right.replace("<", "<=")))
    done = targets.run(targets.build("parser", tmp_path), "parser", tmp_path, seconds=60)
    assert done.returncode != 0
    assert "SEGV" in done.stdout or "AddressSanitizer" in done.stdout
