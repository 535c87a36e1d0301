# SPDX-License-Identifier: MIT
"""Running a program of this project's own, which talks to the user itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from viper.base import console, interrupt, process

ROOT = Path(__file__).resolve().parents[3]


def run(arguments: Sequence[str], grace_s: float, told: Mapping[str, str] | None = None) -> int:
    """Run Python with these arguments, on this terminal; line by line where a copy is kept.

    Args:
        arguments: `-m module …`, or a script and its arguments.
        grace_s: what it has to end by itself after Ctrl-C, in seconds.
        told: variables that it finds in its environment.

    Returns:
        Its exit status.

    Raises:
        KeyboardInterrupt: Ctrl-C; it has ended.
    """
    paths = os.pathsep.join([str(ROOT / "site_scons"), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, **(told or {})}
    command = [sys.executable, *arguments]
    if console.is_copied():
        try:
            process.run(command, environment=environment, on_line=console.note, grace_s=grace_s)
        except process.ToolFailed as failure:
            return failure.status or -1
        return 0
    child = subprocess.Popen(
        ["setpriv", "--pdeathsig", "INT", *command], env=environment, start_new_session=True
    )
    return interrupt.wait(child, grace_s)
