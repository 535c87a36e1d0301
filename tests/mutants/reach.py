# SPDX-License-Identifier: MIT
"""Which tests reach a line: of Python as coverage.py has seen it, of C by what is linked.

Coverage is measured in pytest's process and in all that tests start, a few minutes for a test suite
that takes one; build/mutants.json keeps it for as long as no file of the project changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from viper.base import atomic_file, console

from tests.c import linked
from tests.mutants import contexts
from tests.mutants.mutant import Mutant
from tests.project import ROOT

_FOLDERS = ["tests/unit", "tests/board"]
_MOST_S = 30.0  # of tests for a mutant, by what they took as it is
_OF_CLIENTS = (  # those that wait for nothing
    "test_status", "test_a_strong_etag_matches_and_a_weak_one_does_not",
    "test_a_date_counts_to_the_second", "test_a_file_without_a_date_has_none_that_matches",
    "test_a_folder_with_and_without_an_index",
    "test_a_path_of_a_file_allows_what_reads",
    "test_the_first_bytes_of_a_stream_come_whole_behind_its_head",
    "test_a_path_of_a_route_and_of_a_folder_allows_what_both_do",
    "test_a_whole_body_that_finds_the_interpreter_busy_is_503",
)  # fmt: skip
_KEPT = ROOT / "build" / "mutants.json"
_SETTINGS = """\
[run]
include = */site_scons/viper/*
context = ${PYTEST_CURRENT_TEST-}
data_file = %s/data
parallel = true
sigterm = true
disable_warnings = no-data-collected,module-not-measured
[paths]
viper =
    %s/site_scons/viper
    */site_scons/viper
"""


def tests(copy: Path, paths: Iterable[Path]) -> Callable[[Mutant], list[str]]:
    """A function that names the tests which reach a mutant, the fastest first, as pytest does.

    Args:
        copy: a copy of the project, in which the tests run once, unless that is known.
        paths: the files that are of interest.
    """
    seen = _coverage(copy) if any(path.suffix == ".py" for path in paths) else {}

    def reaching(mutant: Mutant) -> list[str]:
        if mutant.path.suffix == ".c":
            return _of_c(mutant.path)
        chosen, seconds = [], 0.0
        of_line = seen["lines"].get(str(mutant.path), {}).get(str(mutant.line), [])
        for test in sorted(of_line, key=seen["seconds"].__getitem__):
            seconds += seen["seconds"][test]
            if chosen and seconds > _MOST_S:
                break
            chosen.append(test)
        return chosen

    return reaching


def environment() -> dict[str, str]:
    """That of tests in a copy, to which the project's own modules are out of sight."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def end_group(pid: int) -> None:
    """End what a process has started in its session."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _coverage(copy: Path) -> dict[str, Any]:
    """The seconds of each test that passes, and by file and line the tests that reach it."""
    program = _digest(copy, (path for path in copy.rglob("*") if "tests" not in path.parts))
    suites = {str(path.relative_to(copy)): _digest(copy, [path]) for path in _suites(copy)}
    seen = json.loads(_KEPT.read_text(encoding="utf-8")) if _KEPT.is_file() else {}
    if seen.get("program") != program:
        seen = {"program": program, "suites": {}, "seconds": {}, "lines": {}}
    known = {suite for suite, digest in seen["suites"].items() if suites.get(suite) == digest}
    _forget(seen, {test for test in seen["seconds"] if test.split("::")[0] not in known})
    if fresh := sorted(suites.keys() - known):
        _measure(copy, fresh, seen)
        seen["suites"] = suites
        atomic_file.write_json(_KEPT, seen)
    return seen


def _suites(copy: Path) -> list[Path]:
    return [file for folder in _FOLDERS for file in (copy / folder).glob("test_*.py")]


def _forget(seen: dict[str, Any], tests: set[str]) -> None:
    for test in tests:
        del seen["seconds"][test]
    for lines in seen["lines"].values():
        for line, of in lines.items():
            lines[line] = [test for test in of if test not in tests]


def _measure(copy: Path, suites: list[str], seen: dict[str, Any]) -> None:
    """Run tests, and add to what is known what they have reached."""
    measured = copy.parent / "coverage"
    measured.mkdir()
    (measured / "settings").write_text(_SETTINGS % (measured, copy))
    command = [sys.executable, "-m", "pytest", "-q", "-n2", "-p", contexts.__name__]
    subprocess.run(
        [*command, "-m", "not long", *suites],
        cwd=copy,
        env={
            **environment(),
            "COVERAGE_PROCESS_START": str(measured / "settings"),
            contexts.ENDS: str(measured),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seconds, failed = _ends(measured / "ends")
    for test in sorted(failed):
        console.note(f"left out, for it fails as it is: {test}")
    seen["seconds"] |= seconds
    for file, lines in _lines(copy, measured, set(seconds)).items():
        there = seen["lines"].setdefault(file, {})
        for line, tests in lines.items():
            there[str(line)] = [*there.get(str(line), []), *tests]


def _digest(copy: Path, paths: Iterable[Path]) -> str:
    """Of files, but for what is built of them."""
    digest = hashlib.sha256()
    for file in sorted(path for path in paths if path.is_file()):
        if not {"build", ".git", "__pycache__"} & set(file.relative_to(copy).parts):
            digest.update(f"{file.relative_to(copy)}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _ends(file: Path) -> tuple[dict[str, float], set[str]]:
    """How long each test took that has passed, in seconds, and those that have failed."""
    seconds: dict[str, float] = {}
    failed = set()
    for line in file.read_text(encoding="utf-8").splitlines():
        test, took, passed = json.loads(line)
        seconds[test] = seconds.get(test, 0.0) + took
        if not passed:
            failed.add(test)
    return {test: took for test, took in seconds.items() if test not in failed}, failed


def _lines(copy: Path, measured: Path, known: set[str]) -> dict[str, dict[int, list[str]]]:
    import coverage

    settings = f"--rcfile={measured / 'settings'}"
    combine = [sys.executable, "-m", "coverage", "combine", "-q", settings]
    subprocess.run(combine, cwd=copy, check=True)
    data = coverage.CoverageData(str(measured / "data"))
    data.read()
    found = {}
    for file in data.measured_files():
        lines = data.contexts_by_lineno(file)
        found[str(Path(file).relative_to(copy))] = {
            line: sorted({_test(context) for context in of} & known) for line, of in lines.items()
        }
    return found


def _test(context: str) -> str:
    """A test by its context: "tests/a.py::test_b (call)" within a process that it has started."""
    static, _, dynamic = context.partition("|")
    test = dynamic or static
    for part in ("setup", "call", "teardown"):
        test = test.removesuffix(f" ({part})")
    return test


def _of_c(path: Path) -> list[str]:
    """The tests that link a file, then those of the whole server that wait for little."""
    alone = [name for name, sources in linked.TESTS.items() if path.stem in sources]
    core = [f"tests/c/test_core.py::test_under_address_and_undefined_sanitizers[{name}]"
            for name in alone]  # fmt: skip
    gzip = ["tests/c/test_gzip.py"] if path.stem in linked.GZIP else []
    serving = "tests/c/test_serving.py::test_under_address_and_undefined_sanitizers[usual]"
    clients = [f"tests/c/test_clients.py::{test}" for test in _OF_CLIENTS]
    return [*core, *gzip, *clients, "tests/c/test_time_limits.py", serving]
