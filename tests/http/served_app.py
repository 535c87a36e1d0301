# SPDX-License-Identifier: MIT
"""A board that runs one of this folder's applications in place of the demo."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from project import copy_project


@dataclass(frozen=True)
class ServedApp:
    """Where it answers, and the state folder of its board, None if that is no virtual one."""

    address: str
    board: Path | None

    def virtual_board(self, what_for: str) -> Path:
        """The state folder; without one the test is skipped."""
        if self.board is None:
            pytest.skip(f"needs a virtual board: {what_for}")
        return self.board


@contextmanager
def running_app(request: pytest.FixtureRequest, folder: Path, name: str) -> Iterator[ServedApp]:
    """HTTP_HOST, if it runs the application, which says so at /app; or a virtual board with it."""
    if "HTTP_HOST" in os.environ:
        address = os.environ["HTTP_HOST"].rstrip("/")
        if httpx.get(f"{address}/app", timeout=10).text != name:
            pytest.skip(f"needs a board whose main.py is tests/http/{name}")
        yield ServedApp(address, None)
        return
    project = copy_project(request.getfixturevalue("built"), folder / "project")
    shutil.copy(Path(__file__).with_name(name), project.path("firmware/app/main.py"))
    port = f"virtual:{Path(name).stem.replace('_', '-')}"
    try:
        flashed = project.scons("flash", f"PORT={port}")
        found = re.search(r"http://127\.0\.0\.1:\d+", flashed.output)
        assert found, flashed.output
        yield ServedApp(found[0], project.path(f".viper/boards/{port.partition(':')[2]}"))
    finally:
        project.scons("board-stop", f"PORT={port}")
