"""A virtual board that runs one of this folder's applications in place of the demo."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from project import copy_project


@dataclass(frozen=True)
class ServedApp:
    """Where it answers, and its board's state folder."""

    address: str
    board: Path


@contextmanager
def running_app(built: Path, folder: Path, name: str) -> Iterator[ServedApp]:
    project = copy_project(built, folder / "project")
    shutil.copy(Path(__file__).with_name(name), project.path("firmware/app/main.py"))
    port = f"virtual:{Path(name).stem.replace('_', '-')}"
    try:
        flashed = project.scons("flash", f"PORT={port}")
        address = re.search(r"http://127\.0\.0\.1:\d+", flashed.output)
        assert address, flashed.output
        yield ServedApp(address[0], project.path(f".viper/boards/{port.partition(':')[2]}"))
    finally:
        project.scons("board-stop", f"PORT={port}")
