# SPDX-License-Identifier: MIT
"""Which tests reach a line, as coverage.py has seen it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from viper.base.errors import UserError

from tests.c.test_core import TESTS as C_TESTS
from tests.mutants.mutant import Mutant

_UNIT = "tests/unit"
_SETTINGS = """\
[run]
source = site_scons/viper
dynamic_context = test_function
data_file = .coverage
"""


def tests(copy: Path, paths: Iterable[Path]) -> Callable[[Mutant], list[str]]:
    """A function that names the tests which reach a mutant, as pytest takes them.

    Args:
        copy: a copy of the project, in which the tests run once.
        paths: the files that are of interest.

    Raises:
        UserError: the tests fail without any mutant.
    """
    by_line: dict[Path, dict[int, list[str]]] = {}
    if any(path.suffix == ".py" for path in paths):
        by_line = _coverage(copy, [path for path in paths if path.suffix == ".py"])

    def reaching(mutant: Mutant) -> list[str]:
        if mutant.path.suffix == ".c":
            return _of_c(mutant.path)
        return by_line[mutant.path].get(mutant.line, [])

    return reaching


def end_group(pid: int) -> None:
    """End what a process has started in its session."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _coverage(copy: Path, paths: Iterable[Path]) -> dict[Path, dict[int, list[str]]]:
    import coverage

    (copy / ".coveragerc").write_text(_SETTINGS)
    command = [sys.executable, "-m", "coverage", "run", "-m", "pytest", "-q", "-m", "not long"]
    done = subprocess.run([*command, _UNIT], cwd=copy, capture_output=True, text=True)
    if done.returncode != 0:
        raise UserError("the tests fail as it is", done.stdout.strip().splitlines()[-1])
    data = coverage.CoverageData(str(copy / ".coverage"))
    data.read()
    found = {}
    for path in paths:
        contexts = data.contexts_by_lineno(str(copy / path))
        found[path] = {line: sorted(filter(None, map(_test, of))) for line, of in contexts.items()}
    return found


def _test(context: str) -> str:
    """`test_size_report.test_it` as pytest names it; empty for what ran outside of a test."""
    module, _, function = context.rpartition(".")
    return f"{_UNIT}/{module.split('.')[-1]}.py::{function}" if module else ""


def _of_c(path: Path) -> list[str]:
    linked = [name for name, sources in C_TESTS.items() if path.stem in sources]
    core = [f"tests/c/test_core.py::test_under_address_and_undefined_sanitizers[{name}]"
            for name in linked]  # fmt: skip
    serving = "tests/c/test_serving.py::test_under_address_and_undefined_sanitizers[usual]"
    return [*core, "tests/c/test_time_limits.py", serving]
