# SPDX-License-Identifier: MIT
"""A virtual board with this project's firmware, and programs of the benchmark's on it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from viper.virtual_board import control

from tests.bench.http_peers import wait_for
from tests.project import Project


@dataclass(frozen=True)
class Board:
    """A running one.

    Attributes:
        port: where its port 80 is on this machine.
    """

    serial: str
    port: int

    def mpremote(self, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "mpremote", "connect", self.serial, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def run(self, program: str, port: int | None = None) -> None:
        """Run a program until the next one, from when it listens on a port, its own by default."""
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write(program)
            file.flush()
            self.mpremote("run", "--no-follow", file.name)
        wait_for(port or self.port)


@contextmanager
def board(project: Project) -> Iterator[Board]:
    project.scons("flash", "PORT=virtual:bench-http")
    state = project.path(".viper/boards/bench-http")
    running = control.running(state)
    assert running
    try:
        yield Board(f"{running.port_url}?ign_set_control", running.http_port)
    finally:
        control.stop(state)
