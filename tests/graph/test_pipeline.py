# SPDX-License-Identifier: MIT
"""`./scons pipeline` on the virtual board: all of it, nothing twice, and a failure at each step."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from project import Project, Run
from viper.virtual_board import control

PORT = "PORT=virtual:pipe"
SHORT = (PORT, "RUNS=1", "BURST_S=0.2", "LONG_S=0.2")
PROFILES = '[light]\npaths = ["/perf/light/text"]\nclients = 1\nrate = 50\n'
STEPS = ("build", "flash", "sync", "serve", "smoke", "test", "perf")


@pytest.fixture
def pipeline(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A project whose tests and whose measurement are short."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # pytest keeps a folder there
    project.path("tools/perf_profiles.toml").write_text(PROFILES)
    for path in project.path("tests").rglob("test_*.py"):
        path.unlink()
    project.path("tests/unit/test_one.py").write_text("def test_one() -> None: ...\n")
    try:
        yield project
    finally:
        project.scons("board-stop", PORT)


def run(project: Project, *more: str, status: int = 0) -> tuple[Run, dict[str, Any]]:
    """What it printed, and the steps' states by name."""
    done = project.scons("pipeline", *SHORT, *more, status=status)
    record = json.loads(project.path("build/VIRTUAL_N16R8/pipeline.json").read_text())
    return done, {**{step["name"]: step for step in record["steps"]}, "facts": record["facts"]}


def states(record: dict[str, Any]) -> str:
    return ", ".join(f"{name} {record[name]['state']}" for name in STEPS)


def test_all_of_it_then_nothing_twice_then_a_failure(pipeline: Project) -> None:
    _, record = run(pipeline)
    assert states(record) == (
        "build done, flash done, sync still true, serve done, smoke done, test done, perf done"
    )
    assert any("1 passed" in line for line in record["test"]["log"])
    assert any(line.startswith("PERF ") for line in record["perf"]["log"])
    board = control.running(pipeline.path(".viper/boards/pipe"))
    assert board and record["facts"]["mac"] == board.mac
    assert record["facts"]["host"] == f"127.0.0.1:{board.http_port}"
    build = json.loads(pipeline.path("build/VIRTUAL_N16R8/build.json").read_text())["build"]
    assert record["facts"]["build"] == build
    page = pipeline.path("build/VIRTUAL_N16R8/pipeline.html").read_text()
    assert ">Passed</h1>" in page and board.mac in page and 'href="perf.html"' in page

    _, record = run(pipeline)
    assert states(record) == (
        "build still true, flash still true, sync still true, serve done, smoke done, "
        "test still true, perf still true"
    )
    assert record["facts"]["build"] == build

    limits = "[light.limits]\np95_ms = 0.001\n"
    pipeline.path("tools/perf_profiles.toml").write_text(PROFILES + limits)
    failed, record = run(pipeline, status=1)
    assert record["test"]["state"] == "still true"
    assert stopped_at(pipeline, "perf", failed, record) == "over the limit: light: p95 is"


def stopped_at(project: Project, name: str, done: Run, record: dict[str, Any]) -> str:
    """Check that a step is where it stopped, with its own lines; how its reason begins."""
    assert record[name]["state"] == "failed", states(record)
    later = STEPS[STEPS.index(name) + 1 :]
    assert all(record[step]["state"] in ("not reached", "left out") for step in later)
    page = project.path("build/VIRTUAL_N16R8/pipeline.html").read_text()
    assert f">Stopped at {name}</h1>" in page
    told = re.search(rf"^STOPPED  at {name}; its last lines.*\n((?:  \| .*\n)+)", done.output, re.M)
    assert told, done.output
    for line in told[1].splitlines():
        assert line.removeprefix("  | ") in record[name]["log"]
    assert "Traceback" not in done.output
    reason: str = record[name]["why"]
    return " ".join(reason.split()[:6])


@pytest.mark.long
def test_a_failure_at_each_step(pipeline: Project) -> None:
    quick = ("SKIP=test,perf",)
    style = pipeline.path("boards/VIRTUAL_N16R8/board.toml").read_text()
    template = pipeline.path("firmware/app/templates/status.html")
    right = template.read_text()
    template.write_text("{% nonsense %}")
    failed, record = run(pipeline, *quick, status=2)
    stopped_at(pipeline, "build", failed, record)
    assert "status.html" in record["build"]["why"]
    template.write_text(right)

    run(pipeline, *quick)
    board = control.running(pipeline.path(".viper/boards/pipe"))
    assert board
    with socket.create_connection(("127.0.0.1", int(board.port_url.rsplit(":", 1)[1]))):
        for name, skip in (("flash", "test,perf"), ("sync", "flash,test,perf")):
            failed, record = run(pipeline, f"SKIP={skip}", status=2)
            stopped_at(pipeline, name, failed, record)
            assert "cannot be opened" in record[name]["why"]

    control.stop(pipeline.path(".viper/boards/pipe"))
    failed, record = run(pipeline, "SKIP=flash,sync,test,perf", status=2)
    stopped_at(pipeline, "serve", failed, record)
    assert "is not running" in record["serve"]["why"]

    limit = re.sub(r"heap_free = \d+", "heap_free = 1000000000", style)
    pipeline.path("boards/VIRTUAL_N16R8/board.toml").write_text(limit)
    failed, record = run(pipeline, *quick, status=2)
    stopped_at(pipeline, "smoke", failed, record)
    assert "heap_free is" in record["smoke"]["why"]
    pipeline.path("boards/VIRTUAL_N16R8/board.toml").write_text(style)

    pipeline.path("tests/unit/test_one.py").write_text(
        "def test_one() -> None:\n    assert False\n"
    )
    failed, record = run(pipeline, status=2)
    stopped_at(pipeline, "test", failed, record)
    assert any("test_one" in line for line in record["test"]["log"])


@pytest.mark.long
def test_until_and_skip_leave_steps_out(pipeline: Project) -> None:
    done, record = run(pipeline, "UNTIL=serve", "SKIP=sync")
    assert states(record) == (
        "build done, flash done, sync left out, serve done, smoke left out, test left out, "
        "perf left out"
    )
    assert record["smoke"]["why"] == "UNTIL=serve" and record["sync"]["why"] == "SKIP=sync"
    assert "== smoke" not in done.output
    refused = pipeline.scons("pipeline", PORT, "UNTIL=smok", status=2).output
    assert "the pipeline has no step 'smok'; did you mean 'smoke'?" in refused
