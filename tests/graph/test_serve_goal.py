# SPDX-License-Identifier: MIT
"""`./scons serve` on the virtual board: its console, its end, and `smoke` before and after."""

from __future__ import annotations

import signal
import urllib.request

import pytest
from project import Project

PORT = "PORT=virtual:serve"


def test_ctrl_c_stops_the_application_and_serve_starts_it_again(project: Project) -> None:
    try:
        project.scons("flash", "smoke", PORT)
        served = project.start("serve", PORT)
        assert served.stdout
        lines = []
        for line in served.stdout:
            lines.append(line)
            if line.startswith("SERVE "):
                break
        assert any("rst:0x" in line for line in lines), lines  # it was started for this
        address = lines[-1].split()[1]
        assert urllib.request.urlopen(f"{address}/health", timeout=10).status == 200
        served.send_signal(signal.SIGINT)
        rest = served.communicate(timeout=60)[0]
        assert "SERVE    stopped" in rest, [*lines, rest]
        with pytest.raises(OSError):
            urllib.request.urlopen(f"{address}/health", timeout=2)

        refused = project.scons("smoke", PORT, status=2).output
        assert "no server" in refused or "does not answer" in refused, refused
        assert "Traceback" not in refused
    finally:
        project.scons("board-stop", PORT)
