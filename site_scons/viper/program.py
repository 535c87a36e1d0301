"""Running a program of this project's own, which talks to the user itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from viper import interrupt

ROOT = Path(__file__).resolve().parents[2]


def run(
    arguments: Sequence[str], grace_s: float, environment: Mapping[str, str] | None = None
) -> int:
    """Run Python with these arguments, on this terminal.

    Args:
        arguments: `-m module …`, or a script and its arguments.
        grace_s: what it has to end by itself after Ctrl-C, in seconds.
        environment: what it is told besides, by environment.

    Returns:
        Its exit status.

    Raises:
        KeyboardInterrupt: Ctrl-C; it has ended.
    """
    paths = os.pathsep.join([str(ROOT / "site_scons"), str(ROOT)])
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "INT", sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": paths, **(environment or {})},
        start_new_session=True,
    )
    return interrupt.wait(process, grace_s)
