# SPDX-License-Identifier: MIT
"""What is printed for a person."""

from __future__ import annotations

import subprocess
import sys

import pytest
from viper.base import console


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (4198, "4.1 KiB"), (1_048_524, "1023.9 KiB"),
     (1_048_525, "1 MiB"), (16 << 20, "16 MiB"), (2_500_000_000, "2.3 GiB"), (5 << 40, "5120 GiB")],
)  # fmt: skip
def test_sizes_are_readable(size: int, text: str) -> None:
    assert console.human_size(size) == text


def test_a_step_is_one_line_with_the_tag_in_a_column(capsys: pytest.CaptureFixture[str]) -> None:
    console.step("GZIP", "app.js  4.1 KiB → 1.2 KiB")
    console.step("PARTS", "x")
    assert capsys.readouterr().out == "GZIP     app.js  4.1 KiB → 1.2 KiB\nPARTS    x\n"


def test_work_goes_on_when_nobody_reads() -> None:
    """`./scons get | head -1` must not end in a traceback."""
    code = "from viper.base import console\nfor _ in range(20000): console.note('line')\n"
    script = f'"{sys.executable}" -c "$1" | head -1; echo "status ${{PIPESTATUS[0]}}"'
    done = subprocess.run(
        ["bash", "-c", script, "bash", code],
        env={"PYTHONPATH": str(console.__file__).rsplit("/", 3)[0]},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "line\nstatus 0\n"
    assert done.stderr == ""


def test_a_short_task_shows_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress("copying", 10) as show:
        show(5)
        show(10)
    assert capsys.readouterr().out == ""
