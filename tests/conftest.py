# SPDX-License-Identifier: MIT
"""Fixtures of the whole suite: a built project to change, and a host that serves its page."""

from __future__ import annotations

import fcntl
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from chromium import Chromium
from project import (
    Project,
    copy_outputs,
    copy_project,
    copy_sources,
    processes_in,
    restore_project,
    take_limits,
)

_LONG_S = 3600.0  # a long matrix's time limit
_SLOW = ("graph", "docs")  # folders whose tests take longest
# How long an example takes says something of the machine, and nothing of what is tested.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")


def pytest_configure() -> None:
    """Let Ctrl-C reach what is tested, though a shell may run the tests where it is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(trylast=True)  # when those that do not run are gone
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let every worker begin with tests of the graph: they take longest, and none ends alone.

    pytest-xdist's worksteal gives each worker a piece of the list to begin with, of equal length,
    and takes from the end of one for those who have nothing left.
    """
    for item in items:
        if item.get_closest_marker("long"):
            item.add_marker(pytest.mark.timeout(_LONG_S))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    pieces: list[list[pytest.Item]] = [[] for _ in range(workers)]
    slow = [item for item in items if item.path.parent.name in _SLOW]
    for at, (_, tests) in enumerate(itertools.groupby(slow, key=lambda item: item.path)):
        pieces[at % workers] += tests
    quick = iter([item for item in items if item.path.parent.name not in _SLOW])
    left = len(items)
    for at, piece in enumerate(pieces):
        size = left // (workers - at)
        piece += itertools.islice(quick, max(0, size - len(piece)))
        left -= size
    items[:] = [*itertools.chain(*pieces), *quick]


@pytest.fixture(scope="session", autouse=True)
def temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """TMPDIR of all that runs here; nothing but the locks of ports may be left in it."""
    folder = tmp_path_factory.mktemp("tmp", numbered=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", None)
        yield
    assert {path.name for path in folder.iterdir()} <= {f"viperhttp-{os.getuid()}"}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with everything built, once for all workers of this run."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder = shared / "built project"  # every test runs in a path with a space
    with (shared / "built.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "built.done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            copy_sources(folder)
            if "LIMITS_OF" in os.environ:
                take_limits(folder, os.environ["LIMITS_OF"])
            copy_outputs(folder)  # so that only what differs is built
            Project(folder).scons()
            # Copies keep what is compiled here; without it each process would do so again.
            command = [sys.executable, "-m", "compileall", "-q", "site_scons"]
            subprocess.run(command, cwd=folder, check=True)
            (shared / "built.done").touch()
    return folder


@pytest.fixture(scope="session")
def worktree(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """This worker's copy of the built project."""
    return copy_project(built, tmp_path_factory.mktemp("worktree") / "a project")


@pytest.fixture
def project(built: Path, worktree: Project) -> Iterator[Project]:
    """A built project to change; no process of the test may be left in it."""
    yield worktree
    left = processes_in(worktree.folder)
    restore_project(worktree, built)
    assert left == []


@pytest.fixture(scope="session")
def http_host(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a served demo site: HTTP_HOST's, or a virtual board's flashed for this."""
    if "HTTP_HOST" in os.environ:
        yield os.environ["HTTP_HOST"].rstrip("/")
        return
    built = request.getfixturevalue("built")
    project = copy_project(built, tmp_path_factory.mktemp("served") / "project")
    try:
        flashed = project.scons("flash", "PORT=virtual:http")
        address = re.search(r"http://127\.0\.0\.1:\d+", flashed.output)
        assert address, flashed.output
        yield address[0]
    finally:
        project.scons("board-stop", "PORT=virtual:http")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    executable = shutil.which("chromium")
    if executable is None:
        pytest.skip("needs a browser: apt-get install chromium")
    with Chromium(executable, tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium
