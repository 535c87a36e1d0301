# SPDX-License-Identifier: MIT
"""Running tools."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from viper.base import process
from viper.base.errors import UserError


def test_output_of_both_streams_is_kept() -> None:
    assert process.run(["sh", "-c", "echo one; echo two >&2"]) == "one\ntwo\n"


def test_a_missing_tool_names_its_package() -> None:
    with pytest.raises(UserError, match="no-such-tool is missing") as refused:
        process.run(["no-such-tool"])
    assert refused.value.next_step == "sudo apt install no-such-tool"


def test_a_failure_keeps_what_was_printed() -> None:
    with pytest.raises(process.ToolFailed) as failed:
        process.run(["sh", "-c", "echo why; exit 3"])
    assert (failed.value.status, failed.value.output) == (3, "why\n")


def test_lines_are_told_as_they_come() -> None:
    lines: list[str] = []
    process.run(["printf", "a\\rb\\nc\\n"], on_line=lines.append)
    assert lines == ["a", "b", "c"]


def test_silence_ends_a_tool() -> None:
    started = time.monotonic()
    with pytest.raises(process.ToolFailed) as failed:
        process.run(["sh", "-c", "echo begun; exec sleep 60"], silence_s=0.3)
    assert failed.value.status is None and failed.value.output == "begun\n"
    assert time.monotonic() - started < 30


def test_nothing_of_the_user_s_environment_reaches_a_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEFLAGS", "-n")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    names = {line.split("=")[0] for line in process.run(["env"]).splitlines()}
    assert names <= {"PATH", "HOME", "TMPDIR", "LC_ALL", "TZ", "PWD", "SHLVL", "_"}


def test_a_tool_dies_with_the_build_that_started_it(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = (
        "from viper.base import process\n"
        f"process.run(['sh', '-c', 'echo $$ >{mark}; exec sleep 60'])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(process.__file__).parents[2])}
    build = subprocess.Popen([sys.executable, "-c", code], env=environment)
    while not (mark.exists() and mark.read_text().strip()):
        time.sleep(0.01)
    tool = os.pidfd_open(int(mark.read_text()))
    try:
        build.send_signal(signal.SIGKILL)
        build.wait()
        import select

        assert select.select([tool], [], [], 10)[0], "the tool has outlived its build"
    finally:
        os.close(tool)
